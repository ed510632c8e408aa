"""The admin's front page: panels, concerns and first steps that apps hand in, each with the address behind it.

    registry.PANELS.append("messaging.panels.queues")

A function that fails is shown as failed and takes nothing else along. What is written here is plain values; how they
look is in `templates/portal/`.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.permissions import rights_of
from portal.registry import CONCERNS, PANELS, STEPS

logger = logging.getLogger(__name__)

Text = str | Promise


def grouped(value: Text | int) -> Text:
    """A number in groups of three digits, as the reader's language has it; texts as they are."""
    return formats.number_format(value, force_grouping=True) if isinstance(value, int) else value


@dataclass(frozen=True)
class Figure:
    """One number and what it counts. `link` leads to the list behind it; `note` says more in small."""

    label: Text
    value: Text | int
    link: str = ""
    note: Text = ""
    alarming: bool = False

    @property
    def shown(self) -> Text:
        return grouped(self.value)


@dataclass(frozen=True)
class Cell:
    """One field of a table."""

    value: Text | int
    link: str = ""
    alarming: bool = False

    @property
    def shown(self) -> Text:
        return grouped(self.value)


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of each row names it."""

    title: Text
    headers: Sequence[Text]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Series:
    """What a chart draws in one colour: a value for each label."""

    label: Text
    colour: str
    values: list[int]


@dataclass(frozen=True)
class Chart:
    """Stacked bars, and the same as a table for whoever cannot see them. `key` is its name in the page."""

    key: str
    title: Text
    labels: list[str]
    series: list[Series]
    grid: Grid

    @property
    def drawn(self) -> str:
        """As Chart.js reads it, in an attribute."""
        sets = [
            {"label": str(one.label), "data": one.values, "backgroundColor": one.colour, "maxBarThickness": 28}
            for one in self.series
        ]
        return json.dumps({"labels": self.labels, "datasets": sets}, ensure_ascii=False)

    @property
    def options(self) -> str:
        """The same for all: stacked, whole numbers, nothing moves."""
        return json.dumps(STACKED)


STACKED: dict[str, Any] = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "ticks": {"maxRotation": 0}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0}, "grid": {"lineWidth": 1}},
    },
    "plugins": {"legend": {"position": "bottom", "labels": {"boxWidth": 10, "boxHeight": 10}}},
}


@dataclass(frozen=True)
class Panel:
    """A part of the front page. `key` is its name in the page."""

    key: str
    title: Text
    note: Text = ""
    figures: list[Figure] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    failed: bool = False


@dataclass(frozen=True)
class Concern:
    """What needs somebody's eye, in one sentence, and the page on which it is mended. `grave`: it needs a person."""

    sentence: Text
    link: str = ""
    remedy: Text = ""
    grave: bool = True


@dataclass(frozen=True)
class Step:
    """Something a fresh portal needs, and the page on which it is done."""

    label: Text
    why: Text
    link: str
    done: bool


@dataclass(frozen=True)
class Board:
    """The whole page, for one user and at one moment."""

    at: datetime
    may_see: bool
    concerns: list[Concern]
    steps: list[Step]
    panels: list[Panel]

    @cached_property
    def verdict(self) -> str:
        """Whether all is well, in one sentence."""
        grave = sum(concern.grave for concern in self.concerns)
        if grave:
            return ngettext("%d thing needs you now.", "%d things need you now.", grave) % grave
        if self.concerns:
            return _("Nothing needs you now; something is worth a look.")
        return _("All is well.")

    @property
    def is_fresh(self) -> bool:
        """Whether there are steps to show: all of them, until the last is done."""
        return any(not step.done for step in self.steps)


def board(request: HttpRequest) -> Board:
    """What this user may see now."""
    # Named before the others, because the first query may have to open the database.
    at = timezone.now()
    panels, lost_panels = _handed_in(PANELS, request)
    concerns, lost_concerns = _handed_in(CONCERNS, request)
    steps, lost_steps = _handed_in(STEPS, request)
    lost = [_lost(path) for path in (*lost_panels, *lost_concerns, *lost_steps)]
    return Board(
        at=at,
        may_see=bool(rights_of(request.user)),
        concerns=lost + sorted((one for found in concerns for one in found), key=lambda concern: not concern.grave),
        steps=steps,
        panels=[*panels, *(_failed(path) for path in lost_panels)],
    )


def _handed_in(paths: Iterable[str], request: HttpRequest) -> tuple[list[Any], list[str]]:
    """What the functions gave, without those that gave nothing; and the names of those that failed."""
    found, lost = [], []
    for path in paths:
        try:
            one = import_string(path)(request)
            # A generator fails where it is read.
            one = list(one) if isinstance(one, Iterator) else one
        except Exception:
            logger.exception("a part of the front page failed: %s", path)
            lost.append(path)
        else:
            found.append(one)
    return [one for one in found if one is not None], lost


def _lost(path: str) -> Concern:
    return Concern(_("A part of this page could not be made (%(name)s); the log says why.") % {"name": path})


def _failed(path: str) -> Panel:
    return Panel(path.replace(".", "-"), _("This panel failed"), note=path, failed=True)
