"""One server on 127.0.0.1 with every simulated provider below `/<name>/`, and switches for what goes wrong there.

It counts what each provider accepted: the tests' witness of what a phone really got. What all providers do alike when
they fail is here; how one of them says so in its own words is in its file in `peers/`.
"""

import asyncio
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar

from aiohttp import web

from gateways.http import LARGEST_BODY
from gateways.outcomes import InboundSms, Outcome, ReceiptState
from tests.simulators import air, peers
from tests.simulators.own_thread import OwnThread

#: How late a slow provider is: long enough to be noticed, and far below any timeout.
SLOW_SECONDS = 0.5
#: Neither JSON nor XML nor text, and in no charset.
GARBAGE = b"<\xff{[garbage\xfe"


class Fault(StrEnum):
    """What goes wrong at a provider; some of it everywhere alike, some as its API has it."""

    BAD_CREDENTIALS = "bad credentials"  # nothing is the right password any more
    EXPIRED_TOKEN = "expired token"  # tokens given so far are forgotten, once
    BLOCKED_HOST = "blocked host"
    SLOW = "slow"
    TIMEOUT_AFTER_ACCEPT = "timeout after accept"
    RESET_AFTER_ACCEPT = "reset after accept"
    TOO_MANY = "too many"  # 429 with Retry-After; nothing is accepted
    ERROR_IN_200 = "error in 200"
    MALFORMED = "malformed"  # accepted, and the answer is garbage
    DUPLICATE_CALLBACK = "duplicate callback"
    BAD_SIGNATURE = "bad signature"
    SNAKE_CASING = "snake casing"
    NO_CONTENT = "no content"  # 204
    SERVER_ERROR = "server error"  # accepted, and answered with 500


#: What a fault means for the message, where a provider's API does not make something else of it.
USUALLY: Mapping[Fault, Outcome] = {
    Fault.BAD_CREDENTIALS: Outcome.GATEWAY_FAULT,
    Fault.EXPIRED_TOKEN: Outcome.ACCEPTED,
    Fault.BLOCKED_HOST: Outcome.GATEWAY_FAULT,
    Fault.SLOW: Outcome.ACCEPTED,
    Fault.TIMEOUT_AFTER_ACCEPT: Outcome.AMBIGUOUS,
    Fault.RESET_AFTER_ACCEPT: Outcome.AMBIGUOUS,
    Fault.TOO_MANY: Outcome.REFUSED_FOR_NOW,
    Fault.ERROR_IN_200: Outcome.REFUSED,
    Fault.MALFORMED: Outcome.AMBIGUOUS,
    Fault.DUPLICATE_CALLBACK: Outcome.ACCEPTED,
    Fault.BAD_SIGNATURE: Outcome.ACCEPTED,
    Fault.SNAKE_CASING: Outcome.ACCEPTED,
    Fault.NO_CONTENT: Outcome.AMBIGUOUS,
    Fault.SERVER_ERROR: Outcome.AMBIGUOUS,
}


@dataclass
class TakenSms:
    """A message that a provider accepted, decoded as it came; a test may change `state` for the next receipt."""

    provider: str
    phone: str
    text: str
    sender: str
    key: str
    reference: str
    callback_url: str = ""
    state: ReceiptState = ReceiptState.DELIVERED
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: How often it was handed over; more than once only where the provider knows keys, and it was sent once.
    handed_over: int = 1

    @property
    def billed(self) -> int:
        """How many SMS it costs."""
        return air.parts(self.text)


@dataclass(frozen=True)
class Asked:
    """One request as it came; `path` is whole, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A call that the provider would make to the portal."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Peer(ABC):
    """A provider's API as it answers in earnest. Handlers return their response; they do not raise it."""

    name: ClassVar[str]
    #: Where messages are handed over, spelled as in `routes`; faults that are alike everywhere happen there.
    submit_paths: ClassVar[tuple[str, ...]] = ()
    #: The faults that this API can show.
    applies: ClassVar[frozenset[Fault]] = frozenset(
        {
            Fault.BAD_CREDENTIALS,
            Fault.SLOW,
            Fault.TIMEOUT_AFTER_ACCEPT,
            Fault.RESET_AFTER_ACCEPT,
            Fault.TOO_MANY,
            Fault.MALFORMED,
            Fault.SERVER_ERROR,
        }
    )
    #: What this API makes of a fault where that is not what it usually means.
    expects: ClassVar[Mapping[Fault, Outcome]] = {}

    def __init__(self, simulator: "Simulator") -> None:
        self.simulator = simulator

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """What it answers to, without `/<name>`; each path is served with and without a slash at its end."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """A gateway's settings with which it lets us in."""

    @abstractmethod
    def wrong_settings(self) -> dict[str, Any]:
        """The same with a wrong secret."""

    def submits(self, path: str, body: bytes) -> bool:
        """Whether this request hands a message over; `path` is spelled as in `routes`."""
        return path.strip("/") in {submit_path.strip("/") for submit_path in self.submit_paths}

    def too_many(self) -> web.Response:
        """The answer to one request too many."""
        return web.Response(status=429, headers={"retry-after": "2"}, text="Too many requests")

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        """The call that reports a message's state, or None where this API makes none."""
        return None

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call | None:
        """The call that tells what a guest wrote, or None where this API makes none."""
        return None

    def shows(self, fault: Fault) -> bool:
        """Whether the fault is switched on now."""
        return fault in self.simulator.faults

    def count_login(self) -> None:
        """To be called at every login, right or wrong."""
        self.simulator.count_login(self.name)

    def outcome_of(self, fault: Fault) -> Outcome:
        """What the portal must make of a message that meets this fault."""
        return {**USUALLY, **self.expects}[fault]


class Simulator(OwnThread):
    """Serves the peers given by name or class, or all there are; at a free port, unless one is given."""

    def __init__(self, *only: str | type[Peer], port: int = 0) -> None:
        super().__init__("simulator")
        self._port = port
        #: A test switches faults on and off at any time.
        self.faults: set[Fault] = set()
        #: What happens when a message was accepted and will not be answered.
        self.goes_silent: Callable[[], None] = lambda: None
        classes = [peers.load(peer) if isinstance(peer, str) else peer for peer in only or peers.names()]
        self.peers: dict[str, Peer] = {peer.name: peer(self) for peer in classes}
        self._lock = threading.Lock()
        self._taken: list[TakenSms] = []
        self._asked: list[Asked] = []
        self._logins: Counter[str] = Counter()
        self._written: list[tuple[str, InboundSms]] = []
        self._failures: list[Exception] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        # A peer that fails answers 500, which a test could take for a fault of the provider.
        if self._failures and error is None:
            raise self._failures[0]

    def url_of(self, name: str) -> str:
        """The address of a provider here: what a gateway's `url` must be."""
        return f"{self.url}/{name}"

    @property
    def taken(self) -> list[TakenSms]:
        """Every message accepted so far, in order."""
        with self._lock:
            return list(self._taken)

    def taken_by(self, phone: str) -> list[TakenSms]:
        """What was accepted for this phone by any provider."""
        return [sms for sms in self.taken if sms.phone == phone]

    @property
    def asked(self) -> list[Asked]:
        """Every request so far, in order."""
        with self._lock:
            return list(self._asked)

    def asked_for(self, name: str, path_suffix: str = "") -> list[Asked]:
        """The requests to one provider whose path ends so; a slash at its end makes no difference."""
        ending = path_suffix.rstrip("/")
        return [one for one in self.asked if _peer_in(one.path) == name and one.path.rstrip("/").endswith(ending)]

    @property
    def logins(self) -> Counter[str]:
        """How often each provider was asked to log somebody in."""
        with self._lock:
            return self._logins.copy()

    def count_login(self, name: str) -> None:
        """One more login at this provider."""
        with self._lock:
            self._logins[name] += 1

    def once(self, fault: Fault) -> bool:
        """Whether the fault is switched on; it is switched off by asking."""
        with self._lock:
            found = fault in self.faults
            self.faults.discard(fault)
            return found

    def take(
        self,
        provider: str,
        phone: str,
        text: str,
        sender: str = "",
        key: str = "",
        dedupes: bool = False,
        reference: str | None = None,
        callback_url: str = "",
    ) -> TakenSms:
        """Notes one acceptance. Where the provider dedupes, a key it knows gives the earlier message instead."""
        phone = f"+{phone.lstrip('+')}"
        with self._lock:
            for earlier in self._taken:
                if dedupes and key and (earlier.provider, earlier.key) == (provider, key):
                    earlier.handed_over += 1
                    return earlier
            given = reference if reference is not None else str(1001 + len(self._taken))
            sms = TakenSms(provider, phone, text, sender, key, given, callback_url)
            self._taken.append(sms)
            return sms

    def get(self, provider: str, reference: str) -> TakenSms | None:
        """The message that the provider accepted under this reference."""
        return next((sms for sms in self.taken if (sms.provider, sms.reference) == (provider, reference)), None)

    def write(self, provider: str, phone: str, text: str, reference: str = "") -> InboundSms:
        """A guest writes to this provider, which keeps it until it is asked."""
        sms = InboundSms(phone, text, reference, datetime.now(UTC))
        with self._lock:
            self._written.append((provider, sms))
        return sms

    def written_to(self, provider: str) -> list[InboundSms]:
        """What guests wrote to this provider, in order."""
        with self._lock:
            return [sms for name, sms in self._written if name == provider]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._answer])
        for peer in self.peers.values():
            app.add_routes(_mounted(peer))
        # Cancelled when the client goes away: nobody waits for an answer that nobody reads.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        try:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self._asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        peer = self.peers.get(_peer_in(request.path))
        submits = peer is not None and peer.submits(_path_at(peer, request), body)
        if peer and submits and Fault.TOO_MANY in self.faults:
            return peer.too_many()
        try:
            response = await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 — raised to the test when the simulator ends
            self._failures.append(error)
            return web.Response(status=500, text="the simulated provider itself has failed")
        return await self._spoil(request, response) if submits else response

    async def _spoil(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """What becomes of the answer to a message that the provider has just accepted."""
        if Fault.SLOW in self.faults:
            await self._wait(SLOW_SECONDS)
        if Fault.TIMEOUT_AFTER_ACCEPT in self.faults:
            self.goes_silent()
            await self._wait(None)
            hang_up(request)
        if Fault.RESET_AFTER_ACCEPT in self.faults:
            hang_up(request)
        if Fault.SERVER_ERROR in self.faults:
            return web.Response(status=500, text="<h1>Internal Server Error</h1>", content_type="text/html")
        if Fault.MALFORMED in self.faults:
            return web.Response(status=response.status, body=GARBAGE, content_type=response.content_type)
        return response

    async def _wait(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()


def _peer_in(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""


def _path_at(peer: Peer, request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical.removeprefix(f"/{peer.name}") if resource else ""


def _mounted(peer: Peer) -> Iterable[web.RouteDef]:
    """The peer's routes below its name, each with and without a slash at its end, and none twice."""
    found: dict[tuple[str, str], web.RouteDef] = {}
    for route in peer.routes():
        path = f"/{peer.name}/{route.path.strip('/')}".rstrip("/")
        for spelling in (path, f"{path}/"):
            found.setdefault(
                (route.method, spelling), web.RouteDef(route.method, spelling, route.handler, route.kwargs)
            )
    return found.values()


def hang_up(request: web.Request) -> None:
    """Resets the connection, as a provider's machine does when it falls over."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
