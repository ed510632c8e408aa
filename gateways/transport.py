"""How calls get to providers and back: threads hand them to the one event loop of their process, and every one lands.

`network.py` opens the sockets and tells what happened there; `sandbox_door.py` leads to the phone inside the portal.
"""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from gateways.http import HttpRequest, HttpResponse
from gateways.network import LOOK_UPS_OF_STRANGERS, Call, Exchange, Network, Trail
from gateways.outcomes import Ambiguous, NotSent
from gateways.sandbox_door import SandboxDoor, is_for_sandbox
from portal import clock
from portal.faults import Point, reach

__all__ = ["Call", "Flight", "Landing", "fetch", "start", "stop"]

#: Answers that come this close together are handed over together, so that they are settled in one transaction.
GATHER = 0.01
#: And no more than so many: writing down what failed takes some milliseconds each, and what comes meanwhile waits.
TOGETHER = 250
#: How many look-ups of host names at once are kept for those of providers.
LOOK_UPS = 64


@dataclass(frozen=True)
class Landing:
    """What became of the call with this ticket: either a response or a failure."""

    ticket: int
    response: HttpResponse | None
    failure: NotSent | Ambiguous | None


class Flight:
    """The calls that one thread has in the air. One thread launches and takes what landed; any thread may nudge it."""

    def __init__(self) -> None:
        #: None is a nudge.
        self._arrivals: queue.SimpleQueue[Landing | None] = queue.SimpleQueue()
        self._in_air = 0

    @property
    def in_air(self) -> int:
        """How many were launched and not yet handed back by `landed`."""
        return self._in_air

    def launch(self, calls: Sequence[Call]) -> None:
        """Starts all of them at once and returns; every one lands, whatever happens."""
        if calls:
            self._in_air += len(calls)
            _running_loop().take_off(list(calls), self._arrivals.put)

    def landed(self, wait: float) -> list[Landing]:
        """Those that landed, having waited up to `wait` seconds for the first, and then a moment for its neighbours.

        TOGETHER at the most; none where nothing is in the air. A nudge ends the wait for the first, with what there is
        by then. Who gives no time gets what has landed already.
        """
        if not self._in_air:
            return []
        first = self._arrival(wait)
        if first is not None and wait > 0 and self._in_air > 1:
            # Asleep, because to be woken for each of them costs more than to understand it.
            time.sleep(GATHER)
        landings = [] if first is None else [first]
        while len(landings) < TOGETHER and not self._arrivals.empty():
            if (arrived := self._arrival(0)) is not None:
                landings.append(arrived)
        self._in_air -= len(landings)
        return landings

    def rest(self, seconds: float) -> None:
        """Waits, with nothing in the air, until a nudge comes or so many seconds are over."""
        self._arrival(seconds)

    def nudge(self) -> None:
        """Wakes the thread that waits here, or keeps it from waiting once."""
        self._arrivals.put(None)

    def _arrival(self, wait: float) -> Landing | None:
        try:
            return self._arrivals.get(timeout=max(0.0, wait))
        except queue.Empty:
            return None


def fetch(request: HttpRequest, timeout: float) -> HttpResponse:
    """One call, waited for. Raises NotSent or Ambiguous."""
    flight = Flight()
    flight.launch([Call(0, request, timeout, clock.now() + timedelta(seconds=timeout))])
    landings: list[Landing] = []
    while not landings:
        landings = flight.landed(timeout)
    if landings[0].failure:
        raise landings[0].failure
    assert landings[0].response  # noqa: S101 — a landing without a failure has a response
    return landings[0].response


class _Loop:
    """One event loop in a thread of its own, with the network that lives on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Names are looked up in threads: those of hosts that nobody answers for must not keep the others waiting.
        threads = ThreadPoolExecutor(LOOK_UPS + LOOK_UPS_OF_STRANGERS, thread_name_prefix="names")
        self._loop.set_default_executor(threads)
        self._door = SandboxDoor(self._loop)
        self._in_air: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="providers", daemon=True)
        self._thread.start()
        self._network = asyncio.run_coroutine_threadsafe(self._open_network(), self._loop).result()

    async def _open_network(self) -> Network:
        return Network()

    def take_off(self, calls: list[Call], land: Callable[[Landing], None]) -> None:
        """Starts the calls; `land` is told of every one, from the loop's thread."""
        self._loop.call_soon_threadsafe(self._take_off, calls, land)

    def _take_off(self, calls: list[Call], land: Callable[[Landing], None]) -> None:
        through_the_door = self._door.open_for([call for call in calls if is_for_sandbox(call)])
        for call in calls:
            exchange = through_the_door if is_for_sandbox(call) else self._network.exchange
            task = self._loop.create_task(self._carry(call, exchange, land))
            self._in_air.add(task)
            task.add_done_callback(self._in_air.discard)

    async def _carry(self, call: Call, exchange: Exchange, land: Callable[[Landing], None]) -> None:
        trail = Trail(call)
        try:
            async with asyncio.timeout(call.timeout):
                response = await exchange(call, trail)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 — every call lands
            land(Landing(call.ticket, None, trail.failure(error)))
        else:
            reach(Point.ANSWERED)
            land(Landing(call.ticket, response, None))

    def close(self) -> None:
        """Lands what is in the air, closes the connections and ends the threads."""
        asyncio.run_coroutine_threadsafe(self._close_network(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._door.close()

    async def _close_network(self) -> None:
        for task in self._in_air:
            task.cancel()
        await asyncio.gather(*self._in_air, return_exceptions=True)
        await self._network.close()


class _Keeper:
    """Holds the process's one event loop."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: _Loop | None = None
        #: Loops of a parent process: a thread does not survive a fork, and closing them would disturb the parent.
        self.left_behind: list[_Loop] = []

    def forked(self) -> None:
        self.lock = threading.Lock()
        if self.loop:
            self.left_behind.append(self.loop)
            self.loop = None


_keeper = _Keeper()
os.register_at_fork(after_in_child=_keeper.forked)


def _running_loop() -> _Loop:
    with _keeper.lock:
        if _keeper.loop is None:
            _keeper.loop = _Loop()
        return _keeper.loop


def start() -> None:
    """Starts the event loop of this process, unless it runs. The first call would start it too."""
    _running_loop()


def stop() -> None:
    """Ends the event loop, if it runs: calls in the air land as failures, connections are closed."""
    with _keeper.lock:
        loop, _keeper.loop = _keeper.loop, None
    if loop:
        loop.close()
