"""The only module that opens a socket to a provider; it turns what happened on the network into NotSent or Ambiguous.

What decides is whether a byte may have been written, never the kind of error. Nothing here reads what an answer means,
and the ORM never runs on the event loop.
"""

import asyncio
import logging
import os
import queue
import re
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

import aiohttp
from django.db import close_old_connections, connections
from django.utils import timezone
from yarl import URL

from gateways import sandbox
from gateways.http import HttpRequest, HttpResponse
from gateways.outcomes import Ambiguous, NotSent

LARGEST_BODY = 1024 * 1024
#: Shorter than the usual server's patience, so that a kept connection is seldom closed just as we write to it.
KEEP_ALIVE = 10.0
#: Answers that come this close together are handed over together, so that they are settled in one transaction.
GATHER = 0.01
#: A line break in a setting would end a header, or the headers.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A request on its way: `timeout` is seconds in all, and after `not_after` nothing may be written any more."""

    ticket: int
    request: HttpRequest
    timeout: float
    not_after: datetime


@dataclass(frozen=True)
class Landing:
    """What became of the call with this ticket: either a response or a failure."""

    ticket: int
    response: HttpResponse | None
    failure: NotSent | Ambiguous | None


class Flight:
    """The calls that one thread has in the air. One thread launches and takes what landed."""

    def __init__(self) -> None:
        self._arrivals: queue.SimpleQueue[Landing] = queue.SimpleQueue()
        self._in_air = 0

    @property
    def in_air(self) -> int:
        """How many were launched and not yet handed back by `landed`."""
        return self._in_air

    def launch(self, calls: Sequence[Call]) -> None:
        """Starts all of them at once and returns; every one lands, whatever happens."""
        if calls:
            self._in_air += len(calls)
            _running_network().take_off(list(calls), self._arrivals.put)

    def landed(self, wait: float) -> list[Landing]:
        """Those that landed, having waited up to `wait` seconds for the first and a moment for its neighbours."""
        landings: list[Landing] = []
        until = time.monotonic() + wait
        while self._in_air:
            try:
                landings.append(self._arrivals.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            self._in_air -= 1
            if len(landings) == 1:
                until = time.monotonic() + GATHER
        return landings


def fetch(request: HttpRequest, timeout: float) -> HttpResponse:
    """One call, waited for. Raises NotSent or Ambiguous."""
    flight = Flight()
    flight.launch([Call(0, request, timeout, timezone.now() + timedelta(seconds=timeout))])
    landings: list[Landing] = []
    while not landings:
        landings = flight.landed(timeout)
    if landings[0].failure:
        raise landings[0].failure
    assert landings[0].response  # noqa: S101 — a landing without a failure has a response
    return landings[0].response


class _NeverWritten(Exception):
    """Stops a request on the brink of its first byte; its text is the reason an operator reads."""


class _WrittenOnce(Exception):
    """Stops the HTTP client from writing a request a second time of its own accord."""


class _AnswerTooLarge(Exception):
    """The body is larger than any provider's honest answer."""


#: How an error is told. It decides the words only; whether a byte was written decides the outcome.
WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.CancelledError, "the worker was stopped"),
    (aiohttp.ClientConnectorDNSError, "the host name was not found"),
    (aiohttp.ClientConnectorCertificateError, "the server's certificate is not trusted"),
    (aiohttp.ClientSSLError, "no secure connection could be made"),
    (aiohttp.ClientConnectorError, "the connection was not accepted"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientPayloadError, "the answer ended too early"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (aiohttp.InvalidURL, "the address is not valid"),
    (aiohttp.ClientOSError, "the connection broke"),
    (TimeoutError, "time ran out"),
    (_AnswerTooLarge, "the answer is larger than 1 MiB"),
    (_WrittenOnce, "the connection was closed without an answer"),
)


class _Trail:
    """How far one call has come. The HTTP client reports to it right before the first byte leaves."""

    def __init__(self, call: Call) -> None:
        self.not_after = call.not_after
        self.written = False

    def about_to_write(self) -> None:
        if self.written:
            # A kept connection was found dead: the client repeats what it takes for harmless; a submit is not.
            raise _WrittenOnce
        if timezone.now() > self.not_after:
            raise _NeverWritten("it was too late to send")
        self.written = True

    def failure(self, error: BaseException) -> NotSent | Ambiguous:
        """The outcome; the error's own text is left out, because it may quote the request."""
        words = next((words for kind, words in WORDS if isinstance(error, kind)), type(error).__name__)
        if self.written:
            return Ambiguous(f"no usable answer: {words}")
        return NotSent(str(error) if isinstance(error, _NeverWritten) else f"nothing was sent: {words}")


async def _report_write(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: aiohttp.TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.about_to_write()


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        body += piece
        if len(body) > LARGEST_BODY:
            raise _AnswerTooLarge
    return bytes(body)


def _headers_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}


def _ask_sandbox(requests: list[HttpRequest]) -> list[sandbox.Reply]:
    try:
        return sandbox.answer_all(requests)
    except Exception as error:  # noqa: BLE001 — whatever went wrong, nobody can tell what was recorded
        logger.warning("the sandbox could not answer: %s", type(error).__name__)
        return [sandbox.Reply(None, written=True) for _ in requests]
    finally:
        close_old_connections()


Exchange = Callable[[Call, _Trail], Awaitable[HttpResponse]]


class _Network:
    """One event loop in a thread of its own, with the kept connections that live on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._sandbox = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")
        self._in_air: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="providers", daemon=True)
        self._thread.start()
        self._session = asyncio.run_coroutine_threadsafe(self._open_session(), self._loop).result()

    async def _open_session(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_report_write)
        return aiohttp.ClientSession(
            # How many at once is each gateway's own setting, so there is no limit here.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            trace_configs=[trace],
            trust_env=False,
        )

    def take_off(self, calls: list[Call], land: Callable[[Landing], None]) -> None:
        """Starts the calls; `land` is told of every one, from the loop's thread."""
        self._loop.call_soon_threadsafe(self._take_off, calls, land)

    def _take_off(self, calls: list[Call], land: Callable[[Landing], None]) -> None:
        for_sandbox = [call for call in calls if call.request.url.startswith(sandbox.SCHEME)]
        exchange_with_sandbox = self._exchange_with_sandbox(for_sandbox)
        for call in calls:
            exchange = exchange_with_sandbox if call.request.url.startswith(sandbox.SCHEME) else self._exchange
            task = self._loop.create_task(self._carry(call, exchange, land))
            self._in_air.add(task)
            task.add_done_callback(self._in_air.discard)

    async def _carry(self, call: Call, exchange: Exchange, land: Callable[[Landing], None]) -> None:
        trail = _Trail(call)
        try:
            async with asyncio.timeout(call.timeout):
                response = await exchange(call, trail)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 — every call lands
            land(Landing(call.ticket, None, trail.failure(error)))
        else:
            land(Landing(call.ticket, response, None))

    async def _exchange(self, call: Call, trail: _Trail) -> HttpResponse:
        if timezone.now() > call.not_after:
            raise _NeverWritten("it was too late to send")
        request = call.request
        if any(CONTROL.search(part) for header in request.headers.items() for part in header):
            raise _NeverWritten("nothing was sent: a header holds a control character")
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            trace_request_ctx=trail,
        ) as response:
            return HttpResponse(response.status, _headers_of(response), await _read_body(response))

    def _exchange_with_sandbox(self, calls: list[Call]) -> Exchange:
        now = timezone.now()
        in_time = [call for call in calls if now <= call.not_after]
        places = {id(call): place for place, call in enumerate(in_time)}
        answers = (
            self._loop.run_in_executor(self._sandbox, _ask_sandbox, [call.request for call in in_time])
            if in_time
            else None
        )

        async def exchange(call: Call, trail: _Trail) -> HttpResponse:
            if answers is None or id(call) not in places:
                raise _NeverWritten("it was too late to send")
            trail.written = True
            reply = (await asyncio.shield(answers))[places[id(call)]]
            trail.written = reply.written
            await asyncio.sleep(reply.delay)
            if not reply.written:
                raise _NeverWritten("nothing was sent: the connection was not accepted")
            if reply.response is None:
                raise aiohttp.ServerDisconnectedError
            return reply.response

        return exchange

    def close(self) -> None:
        """Lands what is in the air, closes the connections and ends the threads."""
        asyncio.run_coroutine_threadsafe(self._close_session(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._sandbox.submit(connections.close_all)
        self._sandbox.shutdown()

    async def _close_session(self) -> None:
        for task in self._in_air:
            task.cancel()
        await asyncio.gather(*self._in_air, return_exceptions=True)
        await self._session.close()


class _Keeper:
    """Holds the process's one network."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.network: _Network | None = None
        #: Networks of a parent process: a thread does not survive a fork, and closing them would disturb the parent.
        self.left_behind: list[_Network] = []

    def forked(self) -> None:
        self.lock = threading.Lock()
        if self.network:
            self.left_behind.append(self.network)
            self.network = None


_keeper = _Keeper()
os.register_at_fork(after_in_child=_keeper.forked)


def _running_network() -> _Network:
    with _keeper.lock:
        if _keeper.network is None:
            _keeper.network = _Network()
        return _keeper.network


def start() -> None:
    """Starts the event loop of this process, unless it runs. The first call would start it too."""
    _running_network()


def stop() -> None:
    """Ends the event loop, if it runs: calls in the air land as failures, connections are closed."""
    with _keeper.lock:
        network, _keeper.network = _keeper.network, None
    if network:
        network.close()
