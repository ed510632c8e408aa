"""How a stay goes on and ends: extend, suspend, reinstate, un-expire, ban, make anonymous. Knows no HTTP."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import accounts, events
from guests.models import USUAL_STAY, CountsFrom, Device, Guest, Registration
from messaging import forgetting
from portal.errors import Refusal, Why
from portal.models import User

ALREADY_SUSPENDED = gettext_lazy("%(name)s is suspended already.")
NOT_SUSPENDED = gettext_lazy("%(name)s is not suspended.")
ALREADY_BANNED = gettext_lazy("%(name)s is banned already.")
NOT_BANNED = gettext_lazy("%(name)s is not banned.")
NOT_EXPIRED = gettext_lazy("The stay of %(name)s has not ended; extend it instead.")
LONGEST_REASON = 255
#: What guests say of themselves when they register.
SAID: dict[str, Any] = {"name": "", "email": "", "company": "", "arrival": {}, "password": None}


@transaction.atomic
def extend(guest: Guest, *, by: User | None, duration: timedelta | None = None, until: datetime | None = None) -> Guest:
    """The stay ends so much later, or then. One that has ended begins anew, now.

    The type's longest stay counts from the beginning and binds those who may not change the types.
    Raises Refusal with the field `duration` or `valid_until`.
    """
    now = timezone.now()
    current = accounts.locked(guest)
    ended = current.valid_until <= now
    end = until or _later(now if ended else current.valid_until, duration)
    if end <= now:
        raise Refusal(_("Name a moment that is still to come."), field="valid_until")
    details: accounts.Details = {"valid_until": end}
    if ended:
        details["valid_from"] = now
    return accounts.change(current, by=by, **details)


def _later(than: datetime, duration: timedelta | None) -> datetime:
    if duration is None or duration <= timedelta(0):
        raise Refusal(_("Say by how much, or until when."), field="duration")
    try:
        return than + duration
    except OverflowError:
        return accounts.LATEST + 2 * USUAL_STAY


def unexpire(guest: Guest, *, by: User | None) -> Guest:
    """A stay that has ended begins anew now, for as long as is usual for its type. Raises Refusal (a conflict)."""
    if guest.valid_until > timezone.now():
        raise _conflict(guest, NOT_EXPIRED)
    return extend(guest, by=by, duration=guest.guest_type.default_stay if guest.guest_type else USUAL_STAY)


def suspend(guest: Guest, *, why: str) -> None:
    """The guest may not come in until reinstated. Raises Refusal (field `reason`, or a conflict)."""
    reason = _reason(why)
    _set(guest, {"suspended": False}, ALREADY_SUSPENDED, suspended=True, suspended_why=reason)


def reinstate(guest: Guest) -> None:
    """Ends the suspension, and nothing else. Raises Refusal (a conflict)."""
    _set(guest, {"suspended": True}, NOT_SUSPENDED, suspended=False, suspended_why="")


def ban(guest: Guest, *, why: str) -> None:
    """Nobody but staff ends it: no proof of the phone, no reinstatement. Raises Refusal as `suspend` does."""
    reason = _reason(why)
    _set(guest, {"banned": False}, ALREADY_BANNED, banned=True, banned_why=reason)


def unban(guest: Guest) -> None:
    """Ends the ban, and nothing else. Raises Refusal (a conflict)."""
    _set(guest, {"banned": True}, NOT_BANNED, banned=False, banned_why="")


def note_sign_in(guest: Guest, at: datetime) -> None:
    """The guest came in for the first time, which is when some stays begin to run; later ones change nothing."""
    kind = guest.guest_type
    runs = kind is not None and kind.counts_from == CountsFrom.FIRST_SIGN_IN
    end = min(guest.valid_until, at + kind.default_stay) if kind and runs else guest.valid_until
    if Guest.objects.filter(pk=guest.pk, first_sign_in=None).update(first_sign_in=at, valid_until=end):
        guest.first_sign_in, guest.valid_until = at, end


@transaction.atomic
def anonymise(guest: Guest) -> Guest:
    """Takes the person out of the record for good; that somebody stayed, when, and who vouched remains.

    Messages lose their link to the guest and what names the guest in them, registrations what the guest said there.
    Phone, device, address, times and terms of these are the journal's, which `retention` ends. Events for webhooks that
    name the guest go, told or not. Raises Refusal (a conflict).
    """
    current = accounts.locked(guest)
    forgetting.forget_recipient(current.username)
    events.forget(current.pk)
    Device.objects.filter(guest=current).delete()
    Registration.objects.filter(guest=current).update(**SAID)
    accounts.write(current, **_nobody(), anonymised_at=timezone.now())
    kind = ContentType.objects.get_for_model(Guest)
    LogEntry.objects.filter(content_type=kind, object_id=str(current.pk)).update(object_repr=current.username)
    return current


def _nobody() -> dict[str, Any]:
    texts = ("phone", "first_name", "last_name", "email", "company", "notes", "suspended_why", "banned_why", "password")
    return dict.fromkeys(texts, "") | {
        "username": f"anonymous-{secrets.token_hex(6)}",
        "language": "",
        "last_credentials": None,
        "verified_at": None,
    }


def _reason(why: str) -> str:
    reason = why.strip()
    if not reason:
        raise Refusal(_("Say why; whoever reads it later will ask."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refusal(_("Give the reason in %(most)s characters.") % {"most": LONGEST_REASON}, field="reason")
    return reason


def _set(guest: Guest, since: dict[str, bool], refusal: Promise, **values: Any) -> None:
    """A compare-and-set: two people who press a button at once do it once."""
    accounts.refuse_anonymised(guest)
    if Guest.objects.filter(pk=guest.pk, anonymised_at=None, **since).update(**values):
        for name, value in values.items():
            setattr(guest, name, value)
        return
    if not Guest.objects.filter(pk=guest.pk).exists():
        raise accounts.gone(guest)
    raise _conflict(guest, refusal)


def _conflict(guest: Guest, sentence: Promise) -> Refusal:
    return Refusal(str(sentence) % {"name": guest.username}, field="guest", why=Why.CONFLICT)
