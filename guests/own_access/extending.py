"""Extending one's own stay: whether a guest may, from when on, until when; and doing it once. Knows no HTTP.

A guest extends by the usual stay of the type, never beyond its longest stay, counted from the beginning. That may be
done in the last quarter of a usual stay but no earlier than a day before the end, or from the notice on; and after the
end, when the stay goes on from then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import accounts, moments, states
from guests.models import Guest, GuestType
from guests.states import State
from portal.errors import Refusal, Why

EARLIEST = timedelta(days=1)
EXTENDABLE = (State.CREATED, State.ACTIVE, State.EXPIRED)
MOVED = gettext_lazy("The end of your stay was moved already.")


@dataclass(frozen=True)
class Offer:
    """Until when the stay would last, and from when on the guest may have it so."""

    until: datetime
    opens: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it may be taken."""
        return self.opens <= now


def offer(guest: Guest, now: datetime | None = None) -> Offer | None:
    """None where guests of the type may not, where this one may not come in, or the longest stay is used up."""
    at, kind = now or timezone.now(), guest.guest_type
    if kind is None or not kind.may_extend or states.of(guest, at) not in EXTENDABLE:
        return None
    since = max(guest.valid_until, at)
    until = min(since + kind.default_stay, kind.latest_end(guest.valid_from))
    return Offer(until, guest.valid_until - _early(kind)) if until > since else None


@transaction.atomic
def extend(guest: Guest, *, seen: datetime) -> Guest:
    """The stay lasts as long as was offered. `seen` is the end that the guest knew: one that was moved since stays.

    Raises Refusal (a conflict; too many, with `until`, where it is too early).
    """
    now, current = timezone.now(), accounts.locked(guest)
    if current.valid_until != seen:
        raise Refusal(MOVED, why=Why.CONFLICT)
    found = offer(current, now)
    if found is None:
        raise Refusal(_("Your stay cannot be extended here. Please ask at the reception."), why=Why.CONFLICT)
    if not found.is_open(now):
        sentence = _("You can extend your stay from %(time)s on.") % {"time": moments.day_and_time(found.opens)}
        raise Refusal(sentence, why=Why.TOO_MANY, until=found.opens)
    return accounts.change(current, by=None, valid_until=found.until)


def _early(kind: GuestType) -> timedelta:
    return max(min(kind.default_stay / 4, EARLIEST), timedelta(hours=kind.notice_hours or 0))
