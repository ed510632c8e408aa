"""How a question stands: what the guest reads who waits, and what became of it."""

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import moments
from guests.models import Approval, Registration, Stage

OVER = gettext_lazy("The time to answer is over.")


class Waiting(NamedTuple):
    """For the page of a guest who waits: for whom, until when, and whether the question has been put.

    `sponsor` is empty where the guest named nobody: the staff decides.
    """

    sponsor: str
    until: datetime | None
    asked: bool = False


class Standing(models.TextChoices):
    """What became of a question."""

    WAITING = "waiting", gettext_lazy("waiting")
    APPROVED = "approved", gettext_lazy("approved")
    DENIED = "denied", gettext_lazy("denied")
    UNANSWERED = "unanswered", gettext_lazy("not answered in time")
    #: The phone is not proven, so nobody was asked.
    UNPROVEN = "unproven", gettext_lazy("phone not proven")


def waiting(registration: Registration) -> Waiting | None:
    """None where the registration does not wait for a sponsor."""
    if registration.stage != Stage.APPROVAL:
        return None
    approval = Approval.objects.select_related("sponsor").filter(registration=registration).first()
    return Waiting(approval.whom, approval.expires_at, approval.asked_at is not None) if approval else Waiting("", None)


def of(approval: Approval) -> Standing:
    """What became of it so far."""
    if approval.approved is not None:
        return Standing.APPROVED if approval.approved else Standing.DENIED
    if approval.registration.stage == Stage.APPROVAL:
        return Standing.WAITING if approval.is_open(timezone.now()) else Standing.UNANSWERED
    return Standing.UNPROVEN if approval.registration.verified_at is None else Standing.UNANSWERED


def decided_by(approval: Approval) -> str:
    """Who decided: a member of the staff, or else who was asked."""
    return approval.decided_by.get_username() if approval.decided_by else approval.whom


def decided(approval: Approval) -> str:
    """For whoever comes too late."""
    if approval.decided_at is None:
        return str(OVER)
    known = {"who": decided_by(approval), "when": moments.moment(approval.decided_at)}
    if approval.approved:
        return _("It was approved already by %(who)s at %(when)s.") % known
    return _("It was denied already by %(who)s at %(when)s.") % known
