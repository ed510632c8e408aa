"""What of guests other systems are told by webhooks: that a phone was proven, and that a stay has ended."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from guests import states
from guests.event_types import EXPIRED, VERIFIED
from guests.models import Guest, Registration
from messaging import webhooks
from portal.portions import in_portions

#: How many stays one transaction tells of.
SOME = 200


def tell_verified(registration: Registration) -> None:
    """In the transaction in which the phone is proven. Until a sponsor has answered there is no guest to name."""
    if not webhooks.is_heard(VERIFIED.name):
        return
    guest = registration.guest
    said = {
        "registration": registration.pk,
        "stage": str(registration.stage),
        "pid": guest.username if guest else None,
        "guest_type": registration.guest_type.name if registration.guest_type else None,
        "verified_at": registration.verified_at,
        "valid_from": guest.valid_from if guest else None,
        "valid_until": guest.valid_until if guest else None,
    }
    webhooks.tell(VERIFIED.name, said, about=_subject(guest.pk) if guest else "")


def forget(guest_id: int) -> None:
    """No event names this guest any more, who is locked and made anonymous, or removed, in this transaction."""
    webhooks.forget_about(_subject(guest_id))


def _subject(guest_id: int) -> str:
    """The name under which events about the guest are found; it tells nobody who that is."""
    return f"guest {guest_id}"


def tell_ended() -> int:
    """Housekeeping: tells of stays that have ended, each end once.

    Which end was told is kept with the guest, in the transaction of the event: a stay that was extended before anybody
    looked has not ended, one that is extended later ends again, and no restart loses an end or tells it twice. Where
    nobody listens that is noted as well, so that whoever listens later hears of what happens from then on.
    """
    return in_portions(_tell_some, SOME)


def _tell_some(most: int) -> int:
    now = timezone.now()
    with transaction.atomic():
        rows = _ended(now).select_related("guest_type").order_by("valid_until")
        ended = list(rows.select_for_update(of=("self",), skip_locked=True)[:most])
        named = [guest for guest in ended if guest.anonymised_at is None]
        said, about = [_said(guest, now) for guest in named], [_subject(guest.pk) for guest in named]
        webhooks.tell_all(EXPIRED.name, said, about=about)
        Guest.objects.filter(pk__in=[guest.pk for guest in ended]).update(told_end=F("valid_until"))
    return len(ended)


def _ended(now: datetime) -> Any:
    return Guest.objects.filter(Q(told_end=None) | ~Q(told_end=F("valid_until")), valid_until__lte=now)


def _said(guest: Guest, now: datetime) -> dict[str, Any]:
    return {
        "pid": guest.username,
        "guest_type": guest.guest_type.name if guest.guest_type else None,
        "state": str(states.of(guest, now)),
        "valid_from": guest.valid_from,
        "valid_until": guest.valid_until,
        "first_sign_in": guest.first_sign_in,
    }
