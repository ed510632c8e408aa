"""How guests and sponsors read a point in time, by the portal's clock: short, and the same day in every language."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

DAY, DAY_OF_A_YEAR, TIME, SECONDS = "j E", "j E Y", "H:i", "H:i:s"


def day_and_time(at: datetime) -> str:
    """*30 November, 00:11*; of another year with the year."""
    there = timezone.localtime(at)
    return f"{_day(there)}, {date_format(there, TIME)}"


def moment(at: datetime) -> str:
    """The same; of today the time alone."""
    there = timezone.localtime(at)
    return date_format(there, TIME) if _is_today(there) else day_and_time(there)


def when_again(at: datetime) -> str:
    """For whoever waits for it: of today to the second."""
    there = timezone.localtime(at)
    return date_format(there, SECONDS) if _is_today(there) else day_and_time(there)


def _day(there: datetime) -> str:
    return date_format(there, DAY if there.year == timezone.localdate().year else DAY_OF_A_YEAR)


def _is_today(there: datetime) -> bool:
    return there.date() == timezone.localdate()
