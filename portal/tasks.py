"""Celery: load, call once, nothing else."""

from celery import shared_task

from portal import housekeeping
from portal.turns import Turn

#: Bells that waited while no worker ran would otherwise all be answered at once.
_keeping_house = Turn(housekeeping.keep_house, patience=600.0)


@shared_task
def keep_house() -> None:
    """Every minute: throws away what has had its time."""
    _keeping_house.take()
