"""Many guests at one server: each a coroutine with a browser of its own; how many came through, and how fast."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import aiohttp

from tests.services.guest import Unexpected

#: Nobody waits longer for one answer.
PATIENCE = 60.0


class Visit:
    """One guest's: `browser` keeps its cookies and its connection, `took` the seconds of each step by name."""

    def __init__(self, browser: aiohttp.ClientSession) -> None:
        self.browser = browser
        self.took: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        started = time.perf_counter()
        yield
        self.took[name] = time.perf_counter() - started

    async def post(self, step: str, path: str, body: object = None, **headers: str) -> Any:
        """A call of an API as a step of its own: what its JSON says, if anything. Raises Unexpected when it fails."""
        with self.step(step):
            async with self.browser.post(path, json=body, headers=headers) as answer:
                text = await answer.text()
        if not answer.ok:
            raise Unexpected(f"POST {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text else None


#: What one guest does.
Guest = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True)
class Rates:
    """What became of a load. A guest's time is the whole of its visit; a step's is that of its own."""

    seconds: float
    visits: Sequence[float]
    steps: dict[str, list[float]]
    failures: Sequence[str] = ()

    @property
    def per_second(self) -> float:
        """Guests that came through."""
        return len(self.visits) / self.seconds

    @property
    def p50(self) -> float:
        """Seconds within which half of the guests came through."""
        return quantile(self.visits, 50)

    @property
    def p95(self) -> float:
        """Seconds within which 95 of 100 guests came through."""
        return quantile(self.visits, 95)

    def of_step(self, name: str, percent: int = 95) -> float:
        """Seconds within which so many of 100 guests had taken this step."""
        return quantile(self.steps[name], percent)

    def flawless(self) -> "Rates":
        """Itself. Raises Unexpected when a guest did not come through: rates of failures say nothing."""
        if self.failures:
            raise Unexpected(f"{len(self.failures)} guests did not come through; the first: {self.failures[0]}")
        return self


def quantile(seconds: Sequence[float], percent: int) -> float:
    """The value that so many of 100 stay within."""
    if len(seconds) < 2:
        return seconds[0] if seconds else 0.0
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]


def drive(base_url: str, guests: Sequence[Guest], concurrency: int, within: float = 0.0) -> Rates:
    """Lets all guests in: so many at once, and their starts spread evenly over so many seconds."""
    return asyncio.run(_Load(base_url, concurrency).run(guests, within))


@dataclass
class _Load:
    base_url: str
    concurrency: int
    visits: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    async def run(self, guests: Sequence[Guest], within: float) -> Rates:
        room, started = asyncio.Semaphore(self.concurrency), time.perf_counter()
        async with asyncio.TaskGroup() as together:
            for number, guest in enumerate(guests):
                together.create_task(self._come(guest, room, within * number / len(guests)))
        return Rates(time.perf_counter() - started, self.visits, self.steps, self.failures)

    async def _come(self, guest: Guest, room: asyncio.Semaphore, after: float) -> None:
        await asyncio.sleep(after)
        # Servers here have an address and no name, whose cookies aiohttp would refuse. They close idle connections
        # after two seconds, and unlike a browser aiohttp would not send a form again.
        cookies, limit = aiohttp.CookieJar(unsafe=True), aiohttp.ClientTimeout(total=PATIENCE)
        async with (
            room,
            aiohttp.ClientSession(
                self.base_url, cookie_jar=cookies, timeout=limit, connector=aiohttp.TCPConnector(force_close=True)
            ) as browser,
        ):
            await self._note(guest, Visit(browser))

    async def _note(self, guest: Guest, visit: Visit) -> None:
        started = time.perf_counter()
        try:
            await guest(visit)
        except (Unexpected, aiohttp.ClientError, TimeoutError) as failure:
            self.failures.append(f"{type(failure).__name__}: {failure}")
            return
        self.visits.append(time.perf_counter() - started)
        for name, seconds in visit.took.items():
            self.steps.setdefault(name, []).append(seconds)
