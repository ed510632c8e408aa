"""The front page's charts of messages: bars by hour or day, stacked by state or by gateway, each with its table."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.translation import gettext as _

from messaging.calendar import HOUR, hours_between, next_day
from messaging.figures import DAYS_SHOWN, HOURS_SHOWN, Figures, Period
from messaging.models import State
from portal.admin.dashboard import Cell, Chart, Grid, Series, Text

#: An address of the list of messages that these lookups count.
Listed = Callable[..., str]

#: Good ones are green and blue, what waits grey and yellow, what went wrong red.
COLOURS: dict[str, str] = {
    State.DELIVERED: "#16a34a",
    State.NO_RECEIPT: "#0d9488",
    State.SUBMITTED: "#2563eb",
    State.SUBMITTING: "#0ea5e9",
    State.CLAIMED: "#38bdf8",
    State.QUEUED: "#94a3b8",
    State.HELD: "#64748b",
    State.UNKNOWN: "#eab308",
    State.UNRESOLVED: "#f97316",
    State.UNDELIVERED: "#ef4444",
    State.EXPIRED: "#be123c",
    State.FAILED: "#7f1d1d",
    State.LAPSED: "#a16207",
    State.CANCELLED: "#a8a29e",
    State.SUPPRESSED: "#78716c",
}
#: Gateways in their order; when all are used up it begins anew.
PALETTE = ("#2563eb", "#16a34a", "#f97316", "#9333ea", "#0d9488", "#db2777", "#ca8a04", "#64748b")


class Bar(NamedTuple):
    """An hour or a day: from when until when, and how it is labelled."""

    start: datetime
    end: datetime
    label: str


class Layer(NamedTuple):
    """What is stacked: a state or a gateway, and the lookup that asks for it."""

    key: str | int
    label: Text
    colour: str
    lookup: str


def by_hour(figures: Figures, listed: Listed) -> list[Chart]:
    """The last 24 hours."""
    hours = hours_between(figures.day.start, figures.day.start + HOURS_SHOWN * HOUR)
    bars = [Bar(hour, hour + HOUR, timezone.localtime(hour).strftime("%H:%M")) for hour in hours]
    return _both("day", figures, figures.day, bars, listed)


def by_day(figures: Figures, listed: Listed) -> list[Chart]:
    """The last 30 days, named as the portal's zone counts them."""
    bars, day = [], figures.month.start
    for _number in range(DAYS_SHOWN):
        end = next_day(day)
        bars.append(Bar(day, end, written(timezone.localtime(day, timezone.get_default_timezone()), "j M")))
        day = end
    return _both("month", figures, figures.month, bars, listed)


def _both(key: str, figures: Figures, period: Period, bars: list[Bar], listed: Listed) -> list[Chart]:
    states = [Layer(state, State(state).label, colour, "state__exact") for state, colour in COLOURS.items()]
    gateways = [
        Layer(pk, name, PALETTE[number % len(PALETTE)], "gateway__id__exact")
        for number, (pk, name) in enumerate(figures.gateways.items())
    ]
    by_state = _chart(f"{key}-states", _("By state"), bars, states, period.by(lambda row: row.state), listed)
    by_gateway = _chart(
        f"{key}-gateways", _("By gateway"), bars, gateways, period.by(lambda row: row.gateway_id), listed
    )
    return [by_state, by_gateway]


def _chart(
    key: str,
    title: Text,
    bars: list[Bar],
    layers: list[Layer],
    counts: dict[tuple[datetime, str | int], int],
    listed: Listed,
) -> Chart:
    there = {name for _start, name in counts}
    shown = [layer for layer in layers if layer.key in there]
    series = [Series(one.label, one.colour, [counts.get((bar.start, one.key), 0) for bar in bars]) for one in shown]
    rows = [_row(bar, shown, counts, listed) for bar in reversed(bars)]
    headers: list[Text] = [_("Time"), *(layer.label for layer in shown)]
    # Bars without a message say nothing in a table.
    grid = Grid(title, headers, [row for row in rows if any(cell.value for cell in row[1:])])
    return Chart(key, title, [bar.label for bar in bars], series, grid)


def _row(bar: Bar, shown: list[Layer], counts: dict[tuple[datetime, str | int], int], listed: Listed) -> list[Cell]:
    found = [(layer, counts.get((bar.start, layer.key), 0)) for layer in shown]
    span = {"created__gte": bar.start, "created__lt": bar.end}
    cells = [Cell(count, listed(**span, **{layer.lookup: layer.key}) if count else "") for layer, count in found]
    return [Cell(bar.label), *cells]
