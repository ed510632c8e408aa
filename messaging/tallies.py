"""Tallies: messages counted by hour and day, so that the front page reads hundreds of rows and not millions.

Nothing is counted when a message is sent. Every minute the hours in which something changed are counted anew from the
messages: those of messages that reached an end since, that were handed over since, or that are still under way. So a
receipt that comes three days late moves the tally of its hour, and counting twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Count, IntegerField, Max, Q, Sum, When
from django.db.models.functions import Coalesce

from gateways.models import Gateway
from messaging import times
from messaging.calendar import HOUR, HourText, HundredthsBetween, day_of, hour_of, next_day
from messaging.models import Message, Span, State, Tally, TallyProgress
from portal import clock

#: In these states a message may still become anything without a column that says when.
MOVING = (State.QUEUED, State.HELD, State.CLAIMED, State.SUBMITTING, State.UNKNOWN)
#: What the provider took, and so takes money for.
TAKEN = (State.SUBMITTED, State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.NO_RECEIPT)
#: Changes are looked for so far back again: a transaction may commit late, and two machines' clocks differ.
OVERLAP = timedelta(minutes=5)
#: How long a worker may count without a word; then another one does.
LEASE = timedelta(minutes=2)
#: How many hours of older history one turn counts.
SOME = 200


class Price(NamedTuple):
    """Of a segment; without one, nothing is known of costs."""

    amount: Decimal | None
    currency: str


class TurnLost(Exception):
    """Another worker counts now."""


def keep_tallies() -> None:
    """Housekeeping, every minute: counts what changed, and some of the history. Where nothing did, nothing is written.

    Two workers never count at once, and one that was frozen past its lease writes nothing when it wakes.
    """
    if _is_all_counted(TallyProgress.now()):
        return
    now = clock.now()
    progress = TallyProgress.take_turn(now, LEASE)
    if progress is None:
        return
    try:
        _count_all(progress, now)
    except TurnLost:
        return


def _is_all_counted(progress: TallyProgress) -> bool:
    if progress.seen_until is None:
        return not Message.objects.exists()
    days_are_right = progress.zone == settings.TIME_ZONE
    return days_are_right and not _changed(progress) and _older(progress.built_from) is None


def _count_all(progress: TallyProgress, now: datetime) -> None:
    if progress.built_from is None:
        progress.built_from = hour_of(now) + HOUR
    days = _days_of_another_zone(progress) if progress.zone != settings.TIME_ZONE else set()
    changed = _changed(progress)
    for hour in changed:
        count_hour(progress, hour)
    # Days of hours that were found unchanged too: a worker may have died between the hour and its day.
    for day in sorted(days | set(map(day_of, [*changed, *_count_history(progress)]))):
        _store(progress, Span.DAY, day, added_up(day))
    progress.write(busy_until=None, seen_until=now, built_from=progress.built_from, zone=settings.TIME_ZONE)


def _changed(progress: TallyProgress) -> list[datetime]:
    """The hours, not older than the history that is counted, in which something changed since the last turn."""
    if progress.seen_until is None:
        return []
    since = progress.seen_until - OVERLAP
    changes = (
        Q(finished_at__gte=since),
        Q(state=State.SUBMITTED, submitted_at__gte=since),
        Q(state__in=MOVING),
    )
    hours = {HourText.read(text) for change in changes for text in _hours_of(change)}
    return sorted(hour for hour in hours if progress.built_from is None or hour >= progress.built_from)


def _hours_of(change: Q) -> Iterable[str]:
    changed = Message.objects.filter(change).order_by()
    return changed.annotate(hour=HourText("created")).values_list("hour", flat=True).distinct()


def _count_history(progress: TallyProgress) -> list[datetime]:
    """Some hours more, from the present backwards; hours without messages are leapt over."""
    hours: list[datetime] = []
    while len(hours) < SOME and (hour := _older(progress.built_from)) is not None:
        count_hour(progress, hour)
        progress.built_from = hour
        hours.append(hour)
    return hours


def _older(built_from: datetime | None) -> datetime | None:
    """The latest hour before then that has messages."""
    if built_from is None:
        return None
    latest: datetime | None = Message.objects.filter(created__lt=built_from).aggregate(at=Max("created"))["at"]
    return hour_of(latest) if latest else None


def _days_of_another_zone(progress: TallyProgress) -> set[datetime]:
    """The portal's time zone was changed: its days begin elsewhere, and all of them are added up anew."""
    with transaction.atomic():
        if not progress.write(busy_until=clock.now() + LEASE):
            raise TurnLost
        Tally.objects.filter(span=Span.DAY).delete()
    hours = Tally.objects.filter(span=Span.HOUR).order_by().values_list("start", flat=True).distinct()
    return {day_of(hour) for hour in hours}


def count_hour(progress: TallyProgress, hour: datetime) -> None:
    """The hour's tallies are from now on what its messages are now. Raises TurnLost."""
    _store(progress, Span.HOUR, hour, counted(hour))


def counted(hour: datetime) -> list[Tally]:
    """The hour's tallies as the messages are now; nothing is stored."""
    prices = _prices(hour)
    rows: dict[tuple[Any, ...], Tally] = {}
    for gateway, kind, state, took, messages, segments in _groups(hour):
        row = rows.get((gateway, kind, state))
        if row is None:
            amount, currency = prices[gateway]
            row = rows[gateway, kind, state] = Tally(
                span=Span.HOUR, start=hour, gateway_id=gateway, kind=kind, state=state, messages=0, segments=0,
                price=amount, currency=currency if amount is not None else "", cost=Decimal(0), times={},
            )  # fmt: skip
        row.messages += messages
        row.segments += segments
        if took is not None:
            times.add(row.times, took / 100, messages)
    for row in rows.values():
        row.cost = row.segments * row.price if row.price is not None and row.state in TAKEN else Decimal(0)
    return list(rows.values())


def _groups(hour: datetime) -> Iterable[tuple[Any, ...]]:
    # What was accepted for a later time is not slow for having waited for it.
    asked_for = Coalesce("batch__scheduled_for", "created")
    took = When(state=State.DELIVERED, then=HundredthsBetween("finished_at", asked_for))
    accepted = Message.objects.filter(created__gte=hour, created__lt=hour + HOUR).order_by()
    groups = accepted.annotate(took=Case(took, output_field=IntegerField())).values("gateway", "kind", "state", "took")
    counts = groups.annotate(counted=Count("pk"), parts=Sum("segments"))
    return counts.values_list("gateway", "kind", "state", "took", "counted", "parts")


def _prices(hour: datetime) -> dict[int, Price]:
    """What the hour was counted with before, else what is set now."""
    now = Gateway.objects.values_list("pk", "segment_price", "currency")
    prices = {gateway: Price(amount, currency) for gateway, amount, currency in now}
    known = Tally.objects.filter(span=Span.HOUR, start=hour, price__isnull=False).order_by()
    for gateway, amount, currency in known.values_list("gateway", "price", "currency").distinct():
        prices[gateway] = Price(amount, currency)
    return prices


def added_up(day: datetime) -> list[Tally]:
    """The day's tallies as its hours are now; nothing is stored."""
    hours = defaultdict(list)
    for hour in Tally.objects.filter(span=Span.HOUR, start__gte=day, start__lt=next_day(day)).order_by("id"):
        hours[hour.gateway_id, hour.kind, hour.state, hour.currency].append(hour)
    return [
        Tally(
            span=Span.DAY, start=day, gateway_id=gateway, kind=kind, state=state, currency=currency,
            messages=sum(hour.messages for hour in found), segments=sum(hour.segments for hour in found),
            cost=sum((hour.cost for hour in found), Decimal(0)),
            times=dict(times.together(hour.times for hour in found)),
        )
        for (gateway, kind, state, currency), found in hours.items()
    ]  # fmt: skip


def _store(progress: TallyProgress, span: Span, start: datetime, rows: list[Tally]) -> None:
    """Puts the rows in the place of those that are there; where they are the same nothing is written."""
    stored = Tally.objects.filter(span=span, start=start)
    if sorted(map(_said, stored)) == sorted(map(_said, rows)):
        return
    with transaction.atomic():
        # The row is locked until the commit: nobody else can have a turn meanwhile.
        if not progress.write(busy_until=clock.now() + LEASE):
            raise TurnLost
        stored.delete()
        Tally.objects.bulk_create(rows)


def _said(row: Tally) -> tuple[str, ...]:
    """What a row says, to be compared."""
    said = (row.gateway_id, row.kind, row.state, row.currency, row.messages, row.segments, sorted(row.times.items()))
    return (*map(str, said), f"{row.cost:.4f}", str(row.price if row.price is None else f"{row.price:.4f}"))
