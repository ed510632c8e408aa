"""Which types a member of staff may give to guests, and what a type must fulfil."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from guests import durations
from guests.models import Guest, GuestType
from portal.errors import Refusal
from portal.models import User
from portal.permissions import Right, may


def usable_by(user: User | None) -> QuerySet[GuestType]:
    """Types that are enabled and open to a role of the user's; to everybody where no role is named.

    Who may change the types, and the portal itself, may give any that is enabled.
    """
    enabled = GuestType.objects.filter(enabled=True)
    if user is None or may(user, Right.SYSTEM_UPDATE):
        return enabled
    return enabled.filter(Q(roles=None) | Q(roles__in=user.groups.all())).distinct()


def check_given(guest_type: GuestType | None, by: User | None, *, instead_of: GuestType | None) -> None:
    """Raises Refusal (field `guest_type`) where the user may not give this type, or take the former one away."""
    if guest_type:
        check_usable(guest_type, by)
    elif instead_of and by and not may(by, Right.SYSTEM_UPDATE):
        # Without a type there is no longest stay.
        sentence = _("Only who may change guest types takes one away; choose another type.")
        raise Refusal(sentence, field="guest_type")


def check_usable(guest_type: GuestType, by: User | None) -> None:
    """Raises Refusal (field `guest_type`) where the user may not give it."""
    if not usable_by(by).filter(pk=guest_type.pk).exists():
        sentence = _("Guests of the type “%(name)s” are not yours to make; choose another type.")
        raise Refusal(sentence % {"name": guest_type.name}, field="guest_type")


def check_end(guest: Guest, by: User | None, former: Guest | None = None) -> None:
    """Raises Refusal (field `valid_until`) where the stay is longer than the type's longest.

    `former` is the guest as it was: a stay that runs and was used has begun, whatever is said of it later. Who may
    change the types, and the portal itself, are not bound by them.
    """
    kind = guest.guest_type
    if kind is None or by is None or may(by, Right.SYSTEM_UPDATE):
        return
    beginning = guest.valid_from
    if former and former.first_sign_in and former.valid_from <= timezone.now() < former.valid_until:
        beginning = min(beginning, former.valid_from)
    if guest.valid_until > kind.latest_end(beginning):
        raise Refusal(too_long(kind), field="valid_until")


def too_long(kind: GuestType) -> str:
    """Why a stay cannot be so long."""
    sentence = _("Guests of the type “%(name)s” can stay for %(longest)s at most.")
    return sentence % {"name": kind.name, "longest": durations.in_words(kind.longest_stay)}


def check_stays(usual: timedelta, longest: timedelta) -> None:
    """Raises Refusal (field `longest_stay`)."""
    if longest < usual:
        raise Refusal(_("The longest stay cannot be shorter than the usual one."), field="longest_stay")


def check_open_now(kind: GuestType) -> None:
    """Raises Refusal (field `guest_type`) outside of the days and hours in which such guests may come in."""
    if not is_open(kind, timezone.localtime()):
        sentence = _("You can register here at these times: %(times)s.")
        raise Refusal(sentence % {"times": times_of(kind)}, field="guest_type")


def is_open(kind: GuestType, at: datetime) -> bool:
    """Whether such guests may come in at this local time. Hours that end the next day belong to the day they begin."""
    begins, ends, time = kind.hours_from, kind.hours_until, at.time()
    if begins is None or ends is None:
        return _on_day(kind, at)
    if begins < ends:
        return _on_day(kind, at) and begins <= time < ends
    return (_on_day(kind, at) and time >= begins) or (_on_day(kind, at - timedelta(days=1)) and time < ends)


def times_of(kind: GuestType) -> str:
    """The days and hours in which such guests may come in, in words; empty where that is always."""
    days = ", ".join(str(WEEKDAYS_ABBR[number - 1]) for number in kind.days)
    hours = f"{kind.hours_from:%H:%M}-{kind.hours_until:%H:%M}" if kind.hours_from and kind.hours_until else ""
    return " ".join(filter(None, (days, hours)))


def _on_day(kind: GuestType, at: datetime) -> bool:
    return not kind.days or at.isoweekday() in kind.days
