"""The whole of the system page. A part that cannot be told is a line at fault, and the others are told."""

import logging
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from portal.registry import SYSTEM, SystemPart
from portal.system.lines import Line, State, Words

logger = logging.getLogger(__name__)

WORSE = list(State)


class Part(NamedTuple):
    """A heading and its lines."""

    title: Words
    lines: list[Line]

    @property
    def state(self) -> State:
        """That of the worst line."""
        return worst(line.state for line in self.lines)


def parts() -> Iterator[Part]:
    """Every part, in order."""
    for part in SYSTEM:
        yield Part(part.title, _lines(part))


def worst(states: Iterator[State]) -> State:
    """The worst of them."""
    return max(states, key=WORSE.index, default=State.OK)


def _lines(part: SystemPart) -> list[Line]:
    try:
        return list(import_string(part.lines)())
    except Exception as error:  # noqa: BLE001 — whatever ails it, the page must say so and go on
        logger.warning("%s cannot be told (%s)", part.lines, type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()
        return [Line(part.title, type(error).__name__, State.ERROR, _("Nothing can be told of it; the log says more."))]
