"""Celery: load, call once, nothing else. A task carries ids; a lost, repeated or flushed one changes nothing."""

from celery import shared_task

from guests.approvals import mailing


@shared_task
def mail_sponsor(approval_id: int) -> None:
    """Hands a question to the mail server."""
    mailing.mail(approval_id)
