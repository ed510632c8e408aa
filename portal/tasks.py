"""Celery: load, call once, nothing else."""

from celery import shared_task

from portal import housekeeping


@shared_task
def keep_house() -> None:
    """Every minute: throws away what has had its time."""
    housekeeping.keep_house()
