"""Which hours and days messages are counted by: hours of UTC, and days of the portal's zone made of such hours."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Func, IntegerField
from django.utils import timezone

HOUR = timedelta(hours=1)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> datetime:
    """The first whole hour of the day; in a zone of half hours a day begins up to 45 minutes after midnight."""
    zone = timezone.get_default_timezone()
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)
    first = hour_of(midnight + HOUR - timedelta.resolution)
    # Between midnight and its first whole hour the day before goes on.
    return first if first <= at else day_of(midnight - HOUR)


def next_day(day: datetime) -> datetime:
    """The beginning of the day after; one day in the year may have 23 hours, another 25."""
    return day_of(day + timedelta(hours=26))


def days_before(day: datetime, count: int) -> datetime:
    """The beginning of the day so many days ago."""
    for _step in range(count):
        day = day_of(day - HOUR)
    return day


def month_of(at: datetime) -> datetime:
    """The beginning of the month."""
    first = day_of(at).astimezone(timezone.get_default_timezone()).replace(day=1, hour=12)
    return day_of(first)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every hour that begins in this time."""
    while start < end:
        yield start
        start += HOUR


class HourText(Func):
    """The hour of a moment, in the database: `2026-01-31 23`. Django's own truncation is slow on SQLite."""

    arity = 1
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="substr(%(expressions)s, 1, 13)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"
        return self.as_sql(compiler, connection, template=template, **context)

    @staticmethod
    def read(text: str) -> datetime:
        """The hour that such a text means."""
        return datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=UTC)


class HundredthsBetween(Func):
    """From the second moment to the first, in hundredths of a second, in the database."""

    arity = 2
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(round((julianday(%(expressions)s)) * 8640000) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(round(EXTRACT(EPOCH FROM (%(expressions)s)) * 100) AS BIGINT)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)
