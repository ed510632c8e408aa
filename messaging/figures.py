"""What the front page says of messages: read from the tallies, and counted at once where those cannot know yet."""

from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count, Min, Q

from gateways.models import Gateway
from messaging import tallies, times
from messaging.calendar import HOUR, day_of, days_before, hour_of, hours_between, month_of
from messaging.models import FINAL, Message, Span, State, Tally, TallyProgress
from portal import clock

#: At an end, and the portal did what it could. What was taken back or suppressed was not to be delivered.
ENDED = tuple(state for state in FINAL if state not in {State.CANCELLED, State.SUPPRESSED})
HOURS_SHOWN, DAYS_SHOWN = 24, 30


class Queue(NamedTuple):
    """What waits at a gateway: how many, and since when the longest due one could have gone."""

    gateway: int
    depth: int
    oldest_due: datetime | None


class Period:
    """Tallies of some time, and what is read from them."""

    def __init__(self, start: datetime, rows: Iterable[Tally]) -> None:
        self.start = start
        self.rows = [row for row in rows if row.start >= start]

    def messages(self, *states: State) -> int:
        """How many are in these states, or all of them."""
        return sum(row.messages for row in self.rows if not states or row.state in states)

    @property
    def delivered_share(self) -> float | None:
        """Of those that are at an end; None where none is."""
        ended = self.messages(*ENDED)
        return self.messages(State.DELIVERED) / ended if ended else None

    def time_to_delivery(self, share: float) -> float | None:
        """Seconds within which this share of what was delivered was delivered."""
        return times.quantile(self._times, share)

    @cached_property
    def _times(self) -> times.Histogram:
        return times.together(row.times for row in self.rows if row.times)

    def by(self, name: Callable[[Tally], str | int]) -> dict[tuple[datetime, str | int], int]:
        """Messages by the beginning of their hour or day, and by what `name` says of a tally."""
        found: dict[tuple[datetime, str | int], int] = {}
        for row in self.rows:
            key = (row.start, name(row))
            found[key] = found.get(key, 0) + row.messages
        return found


class Bill(NamedTuple):
    """What one gateway's provider took."""

    gateway: int
    messages: int
    segments: int
    costs: dict[str, Decimal]
    #: Segments for which no price was known.
    unpriced: int


class Figures:
    """All of them as of one moment; each is read when it is asked for, and once."""

    def __init__(self) -> None:
        self.now = clock.now()

    @cached_property
    def progress(self) -> TallyProgress:
        return TallyProgress.now()

    @cached_property
    def gateways(self) -> dict[int, str]:
        """Names of all gateways in their order."""
        return dict(Gateway.objects.values_list("pk", "name"))

    @cached_property
    def day(self) -> Period:
        """The last 24 hours, the present one among them, by the hour."""
        start = hour_of(self.now) - (HOURS_SHOWN - 1) * HOUR
        return Period(start, self._hours_since(start))

    @cached_property
    def month(self) -> Period:
        """The last 30 days, today among them, by the day."""
        return Period(self._month_start, self._days)

    @cached_property
    def this_month(self) -> Period:
        """Since the first of the month."""
        return Period(self._this_month_start, self._days)

    @property
    def history_is_whole(self) -> bool:
        """Whether the tallies go back to the beginning of what is shown."""
        first = self.progress.built_from or self._live_since
        return not Message.objects.filter(created__gte=self._month_start, created__lt=first).exists()

    @cached_property
    def unresolved(self) -> int:
        """All unclear outcomes, however old."""
        return Message.objects.filter(state=State.UNRESOLVED).count()

    @cached_property
    def undecided(self) -> int:
        """Unclear outcomes of the last 24 hours that nobody has sent again: a person can still do something."""
        recent = Message.objects.filter(state=State.UNRESOLVED, created__gte=self.day.start)
        return recent.filter(Message.not_sent_again()).count()

    @cached_property
    def queues(self) -> dict[int, Queue]:
        """What waits, by gateway."""
        due = Min("due_at", filter=Q(due_at__lte=self.now))
        waiting = Message.objects.filter(due_at__isnull=False).order_by().values("gateway")
        rows = waiting.annotate(depth=Count("pk"), due=due).values_list("gateway", "depth", "due")
        return {gateway: Queue(gateway, depth, oldest) for gateway, depth, oldest in rows}

    @cached_property
    def bills(self) -> list[Bill]:
        """What was taken since the first of the month, by gateway."""
        taken = [row for row in self.this_month.rows if row.state in tallies.TAKEN]
        found = ((gateway, [row for row in taken if row.gateway_id == gateway]) for gateway in self.gateways)
        return [_bill(gateway, rows) for gateway, rows in found if rows]

    @property
    def _month_start(self) -> datetime:
        return days_before(day_of(self.now), DAYS_SHOWN - 1)

    @property
    def _this_month_start(self) -> datetime:
        return month_of(self.now)

    @cached_property
    def _live_since(self) -> datetime:
        """From here on tallies may not know yet: the present hour, or more where no worker has counted for long."""
        return hour_of(self.progress.seen_until or self.now)

    @cached_property
    def _live(self) -> list[Tally]:
        return [row for hour in hours_between(self._live_since, self.now) for row in tallies.counted(hour)]

    def _hours_since(self, start: datetime) -> list[Tally]:
        stored = Tally.objects.filter(span=Span.HOUR, start__gte=start, start__lt=self._live_since)
        return [*stored.order_by("start"), *self._live]

    @cached_property
    def _days(self) -> list[Tally]:
        """Whole days from the tallies; the hours of the last one are put together here."""
        start, last = min(self._month_start, self._this_month_start), day_of(self._live_since)
        stored = Tally.objects.filter(span=Span.DAY, start__gte=start, start__lt=last).order_by("start")
        return [*stored, *map(_as_of_its_day, self._hours_since(last))]


def _as_of_its_day(hour: Tally) -> Tally:
    row = copy(hour)
    row.start = day_of(hour.start)
    return row


def _bill(gateway: int, rows: list[Tally]) -> Bill:
    costs: dict[str, Decimal] = {}
    for row in rows:
        if row.currency:
            costs[row.currency] = costs.get(row.currency, Decimal(0)) + row.cost
    unpriced = sum(row.segments for row in rows if not row.currency)
    return Bill(gateway, sum(row.messages for row in rows), sum(row.segments for row in rows), costs, unpriced)
