"""Notice before a stay ends: one SMS for each end, with a link that extends the stay once. Knows no HTTP.

The link is good for the end that it was written for: whatever moves that end uses it up.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import Promise
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext as _

from guests import moments
from guests.models import CountsFrom, Guest, GuestType
from guests.own_access import extending
from messaging import sending
from messaging.models import Door
from messaging.retries import Kind
from portal.errors import Refusal

logger = logging.getLogger(__name__)

#: So many are told in one run.
SOME = 100
LINK = "/x/"
#: Letters of the signature: 96 bits. In an SMS every letter counts.
SIGNED = 24


class LinkOver(Refusal):
    """Nothing can be done with this link any more; `guest` is whose it was, where that is still known."""

    def __init__(self, sentence: str | Promise, guest: Guest | None = None) -> None:
        super().__init__(sentence)
        self.guest = guest


def give_notice() -> None:
    """Housekeeping: tells guests whose stay ends soon. Several workers at it tell each guest once."""
    now, left = timezone.now(), SOME
    for kind in GuestType.objects.filter(notice_hours__gt=0):
        for guest in _due(kind, now)[:left]:
            left -= 1
            try:
                _tell(guest)
            except Refusal as refusal:
                if refusal.field != "phone":
                    # No gateway: what failed for one fails for the others, and may work in a minute.
                    logger.warning("notice of the end of a stay could not be sent: %s", refusal.sentence)
                    return
                _claim(guest)


def token_of(guest: Guest) -> str:
    """What a link holds: the guest, the end, and a signature."""
    named = f"{int_to_base36(guest.pk)}-{int_to_base36(_second(guest.valid_until))}"
    return f"{named}-{_signature(named)}"


def guest_of(token: str) -> Guest:
    """Whose stay this link extends now. Raises LinkOver."""
    guest, end = _read(token)
    if _second(guest.valid_until) != end:
        raise LinkOver(extending.MOVED, guest)
    if guest.valid_until <= timezone.now():
        raise LinkOver(_("This link has expired, because your stay has ended."), guest)
    return guest


def extend(token: str) -> Guest:
    """The stay that the link was written for lasts longer. Raises LinkOver, and Refusal as `extending.extend` does."""
    guest = guest_of(token)
    return extending.extend(guest, seen=guest.valid_until)


def _due(kind: GuestType, now: datetime) -> QuerySet[Guest]:
    hours = timedelta(hours=kind.notice_hours or 0)
    found = Guest.objects.select_related("guest_type").filter(
        Q(noticed_end=None) | ~Q(noticed_end=F("valid_until")),
        guest_type=kind,
        valid_until__gt=now,
        valid_until__lte=now + hours,
        # Who comes for less time than that was told the end a moment ago.
        valid_from__lt=F("valid_until") - hours,
        valid_from__lte=now,
        anonymised_at=None,
        suspended=False,
        banned=False,
    )
    if kind.counts_from == CountsFrom.FIRST_SIGN_IN:
        found = found.exclude(first_sign_in=None)
    return found.exclude(phone="").order_by("valid_until")


@transaction.atomic
def _tell(guest: Guest) -> None:
    """One transaction: that it is told and the message are both there, or neither."""
    if not _claim(guest):
        return
    sending.send(
        phone=guest.phone,
        text=_text(guest),
        kind=Kind.INFORMATION,
        gateway_name="",
        requested_by=None,
        recipient_label=guest.username,
        door=Door.GUESTS,
    )


def _claim(guest: Guest) -> bool:
    """A compare-and-set: of several workers one tells it, and none whose end or phone was changed meanwhile."""
    unchanged = Guest.objects.filter(
        pk=guest.pk, valid_until=guest.valid_until, phone=guest.phone, anonymised_at=None, suspended=False, banned=False
    )
    return unchanged.exclude(noticed_end=guest.valid_until).update(noticed_end=guest.valid_until) == 1


def _text(guest: Guest) -> str:
    with translation.override(guest.language or settings.LANGUAGE_CODE):
        said = {"portal": settings.PORTAL_NAME, "end": moments.day_and_time(guest.valid_until)}
        if settings.PORTAL_URL and extending.offer(guest):
            said["link"] = f"{settings.PORTAL_URL}{LINK}{token_of(guest)}"
            return _("%(portal)s: your access ends on %(end)s. Extend it: %(link)s") % said
        return _("%(portal)s: your access ends on %(end)s.") % said


def _read(token: str) -> tuple[Guest, int]:
    named, _dash, signature = token.rpartition("-")
    if not constant_time_compare(signature, _signature(named)):
        raise _unknown()
    key, end = map(base36_to_int, named.split("-"))
    guest = Guest.objects.select_related("guest_type").filter(pk=key, anonymised_at=None, banned=False).first()
    if guest is None:
        raise _unknown()
    return guest, end


def _unknown() -> LinkOver:
    return LinkOver(_("This link is good no more."))


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _signature(named: str) -> str:
    return salted_hmac("guests.notice", named.encode(errors="replace"), algorithm="sha256").hexdigest()[:SIGNED]
