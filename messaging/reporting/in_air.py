"""The calls that have not come back yet, over as many turns as they take. No database here."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple

from gateways.http import HttpRequest, HttpResponse
from gateways.transport import Call, Flight
from messaging.models import DeliveryReport
from messaging.reporting.kinds import Happened


class Told(NamedTuple):
    """What is told by one call, and which host is called."""

    report: DeliveryReport
    happened: Happened
    host: str


class InAir:
    """One thread launches and takes what landed."""

    def __init__(self) -> None:
        self._flight = Flight()
        self._calls: dict[int, Told] = {}
        self._tickets = count()
        self._behind: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._calls)

    def hosts(self) -> Counter[str]:
        """How many calls each host has not answered yet."""
        return Counter(told.host for told in self._calls.values())

    def one_more_behind(self, host: str) -> int:
        """One more report waits until this host has answered others; how many did before it."""
        self._behind[host] += 1
        return self._behind[host] - 1

    def forget_behind(self, slow: Collection[str]) -> None:
        """What waited for others than these waits no more."""
        self._behind = Counter({host: waiting for host, waiting in self._behind.items() if host in slow})

    def launch(self, some: Sequence[tuple[Told, HttpRequest]], timeout: float, not_after: datetime) -> int:
        """The first of their tickets, which only grow."""
        first = next(self._tickets)
        calls = []
        for ticket, (told, request) in zip(self._tickets, some, strict=False):
            self._calls[ticket] = told
            calls.append(Call(ticket, request, timeout, not_after))
        self._flight.launch(calls)
        return first

    def is_in_air(self, first: int) -> bool:
        """Whether any of those is that were launched with this ticket or later."""
        return next(reversed(self._calls), -1) >= first

    def landed(self, wait: float) -> list[tuple[Told, HttpResponse | None]]:
        """Those that came back, having waited up to so many seconds for the first; None where nothing answered."""
        return [(self._calls.pop(landing.ticket), landing.response) for landing in self._flight.landed(wait)]
