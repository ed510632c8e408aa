"""Handing questions to the mail server: from a worker, with a lease, again and again until the question's time is over.

A worker that dies between the mail server's yes and writing it down sends the same question twice; nobody is asked
never.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from guests.approvals import links, wording
from guests.models import Approval, Stage
from messaging import bells, ringing

logger = logging.getLogger(__name__)

#: Named, because what it calls rings too.
TASK = "guests.tasks.mail_sponsor"
#: While one worker talks to the mail server, no other one does so for the same question.
LEASE = timedelta(minutes=5)
#: After each try that failed it is twice as long until the next, up to this.
LONGEST_PAUSE = timedelta(minutes=30)
LONGEST_FAULT = 300


def ring(pk: int) -> None:
    """A worker mails it once all is committed; where no bell can be rung, housekeeping does."""
    transaction.on_commit(partial(ringing.ring_soon, pk, TASK))


def ring_for_mail() -> None:
    """Housekeeping: what is due at the mail server, after a failure or because a bell was lost."""
    now = timezone.now()
    due = Approval.objects.filter(mail_at__lte=now, decided_at=None, expires_at__gt=now)
    for pk in list(due.order_by("mail_at").values_list("pk", flat=True)[:100]):
        bells.publish(TASK, pk)


def mail(pk: int) -> None:
    """Hands one question over, if it is due and still open. What goes wrong is kept for the staff to read."""
    approval = _claimed(pk, timezone.now())
    if approval is None:
        return
    try:
        _send(approval)
    except Exception as error:  # noqa: BLE001 — a mail server may fail in any way there is
        _note_failure(approval, error)
        return
    _of_this_lease(approval).update(mail_at=None, mailed_at=timezone.now(), mail_fault="", mail_tries=0)


def _claimed(pk: int, now: datetime) -> Approval | None:
    due = Approval.objects.filter(pk=pk, mail_at__lte=now, decided_at=None, expires_at__gt=now, link__isnull=False)
    lease = now + LEASE
    if not due.update(mail_at=lease):
        return None
    approval = Approval.objects.select_related("registration", "sponsor").get(pk=pk)
    # Since then it may have been decided, which leaves nothing to mail.
    return approval if approval.mail_at == lease and approval.registration.stage == Stage.APPROVAL else None


def _send(approval: Approval) -> None:
    with translation.override(wording.language_of(approval)):
        written = wording.mail(approval, links.address(approval.link or ""))
    EmailMessage(written.subject, written.body, settings.EMAIL_FROM, [approval.email]).send()


def _note_failure(approval: Approval, error: Exception) -> None:
    """No server's own words: some repeat the whole e-mail, link and all."""
    tries = approval.mail_tries + 1
    pause = min(timedelta(minutes=2 ** min(tries - 1, 10)), LONGEST_PAUSE)
    fault = f"{type(error).__name__} {getattr(error, 'smtp_code', '') or getattr(error, 'strerror', '') or ''}".strip()
    logger.warning("a question to a sponsor could not be mailed (%s); it is tried again in %s", fault, pause)
    again = {"mail_at": timezone.now() + pause, "mail_tries": tries, "mail_fault": fault[:LONGEST_FAULT]}
    _of_this_lease(approval).update(**again)


def _of_this_lease(approval: Approval) -> QuerySet[Approval]:
    """The row, unless something else became of it meanwhile."""
    return Approval.objects.filter(pk=approval.pk, mail_at=approval.mail_at)
