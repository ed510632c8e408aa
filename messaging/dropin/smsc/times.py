"""SMSC.ru's times: when to send, which it writes in five ways, and how long a message is good for."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from portal import clock
from portal.errors import Refusal

MOSCOW = ZoneInfo("Europe/Moscow")
#: Neither here nor in a field that switches something on.
OFF = frozenset({"", "0"})
#: `9-21`: from one hour of the day to another.
HOURS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
DAY = 24
NO_TIME = "This is no time that is understood here; write it like 3112261830, 31.12.26 18:30, +90 or 9-21."


def due_at(written: str, tz: str) -> datetime | None:
    """When to send; None for at once, which a time that is over means as well. Raises Refusal (field `schedule`)."""
    if written.strip() in OFF:
        return None
    try:
        at = _moment(written, tz)
    except (ValueError, OverflowError, OSError):
        raise Refusal(NO_TIME, field="schedule") from None
    return at if at > clock.now() else None


def end_of(life: str, begin: datetime) -> datetime | None:
    """After which it must not be sent any more; `life` is `hh:mm`, or hours alone."""
    hours, minutes = (int(part or 0) for part in life.partition(":")[::2])
    return begin + timedelta(hours=hours, minutes=minutes) if hours or minutes else None


def _moment(written: str, tz: str) -> datetime:
    # A plus in an address may come as a space.
    if written[0] in "+ ":
        return clock.now() + timedelta(minutes=int(written[1:]))
    if hours := HOURS.fullmatch(written.strip()):
        return _within(int(hours[1]), int(hours[2]), tz)
    if re.fullmatch(r"0[0-9]{10,11}", written):
        return datetime.fromtimestamp(int(written), timezone.get_current_timezone())
    shape = "%d%m%y%H%M" if written.isdecimal() else "%d.%m.%y %H:%M"
    named = datetime.strptime(written, shape)  # noqa: DTZ007 — its zone comes next
    if not tz:
        return timezone.make_aware(named)
    return named.replace(tzinfo=MOSCOW) - timedelta(hours=int(tz))


def _within(first: int, last: int, tz: str) -> datetime:
    """Now where that is between these hours, else when they begin next. Raises ValueError."""
    if first >= last or last > DAY:
        raise ValueError
    shift = timedelta(hours=int(tz or 0))
    here = timezone.localtime(clock.now() + shift, MOSCOW if tz else None)
    begin = here.replace(hour=first, minute=0, second=0, microsecond=0)
    if here.hour >= last:
        begin += timedelta(days=1)
    return begin - shift
