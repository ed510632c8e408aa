"""Hosts that give no answer are left alone for a while, so that no report waits behind those of a program that is down.

Known to one process and its one thread that tells: another finds out by itself. No database here.
"""

from datetime import datetime
from typing import NamedTuple

from messaging.webhooks import schedule


class Rest(NamedTuple):
    """Since when a host has given no answer, and until when it is left alone."""

    since: datetime
    until: datetime


class Resting:
    """The hosts that gave no answer last."""

    def __init__(self) -> None:
        self._rests: dict[str, Rest] = {}

    def until(self, host: str, now: datetime) -> datetime | None:
        """Until when the host is left alone; None where it may be called."""
        rest = self._rests.get(host)
        return rest.until if rest and rest.until > now else None

    def is_tried(self, host: str) -> bool:
        """Whether it gave no answer last: then one call finds out whether it does by now."""
        return host in self._rests

    def note(self, host: str, now: datetime, *, answered: bool) -> None:
        """What became of a call."""
        former = self._rests.pop(host, None)
        if answered:
            return
        # Programs name any host: one that nobody has been called at for long is forgotten.
        over = [one for one, rest in self._rests.items() if now - rest.until > schedule.LONGEST_REST]
        for one in over:
            del self._rests[one]
        since = former.since if former else now
        self._rests[host] = Rest(since, now + schedule.rest_after(now - since))
