"""The network to providers: the only module that opens a socket to one. What happened there is NotSent or Ambiguous.

What decides is whether a byte may have been written, never the kind of error. Nothing here reads what an answer means.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

import aiohttp
from yarl import URL

from gateways.addresses import GuardedResolver, GuardedResolverOfStrangers, PrivateNetwork, open_socket
from gateways.http import LARGEST_BODY, HttpRequest, HttpResponse
from gateways.outcomes import Ambiguous, NotSent
from portal import clock
from portal.faults import Point, reach

#: Shorter than the usual server's patience, so that a kept connection is seldom closed just as we write to it.
KEEP_ALIVE = 10.0
#: Seconds for a connection, from the name to the handshake: enough to repeat one lost packet, and where nobody is there
#: a code still goes another way while its guest looks on.
CONNECT = 2.0
#: Seconds for the rest of an answer of which the beginning is enough.
BEGINNING = 2.0
#: How many host names of strangers are looked up at once.
LOOK_UPS_OF_STRANGERS = 16
NOT_ASCII = bytes(range(0x80, 0x100))
#: A line break in a setting would end a header, or the headers.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Call:
    """A request on its way: `timeout` is seconds in all, and after `not_after` nothing may be written any more."""

    ticket: int
    request: HttpRequest
    timeout: float
    not_after: datetime


class NeverWritten(Exception):
    """Stops a request on the brink of its first byte; its text is the reason an operator reads."""


class NoAnswer(Exception):
    """The connection ended after the request was written and before any answer."""


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
    (aiohttp.ConnectionTimeoutError, "no connection was made in time"),
    (aiohttp.ClientOSError, "the connection broke"),
    (TimeoutError, "time ran out"),
    (_AnswerTooLarge, "the answer is larger than 1 MiB"),
    (NoAnswer, "the connection was closed without an answer"),
)


class Trail:
    """How far one call has come: after `not_after` nothing may be written any more, and what was is on record.

    The HTTP client reports to it right before the first byte leaves: where there is a body, when that is written, for
    its headers wait for it, and other calls may have their turn in between.
    """

    def __init__(self, call: Call) -> None:
        self.not_after = call.not_after
        self.written = False
        self._has_body = bool(call.request.body)
        self._stopped: NeverWritten | None = None

    def check_time(self) -> None:
        """Raises NeverWritten when it is too late to begin."""
        if clock.now() > self.not_after:
            self._stopped = NeverWritten("it was too late to send")
            raise self._stopped

    def about_to_write(self) -> None:
        """The headers are next, alone or with the body. Raises whatever must stop the write."""
        if self.written:
            # A kept connection was found dead: the client repeats what it takes for harmless; a submit is not.
            raise NoAnswer
        self.check_time()
        if not self._has_body:
            self._first_byte()

    def about_to_write_body(self) -> None:
        """A piece of the body is next, the first one with the headers. Raises NeverWritten."""
        if not self.written:
            self.check_time()
            self._first_byte()

    def _first_byte(self) -> None:
        self.written = True
        reach(Point.WRITING)

    def failure(self, error: BaseException) -> NotSent | Ambiguous:
        """The outcome; the error's own text is left out, because it may quote the request."""
        # The client wraps what stops it while it writes the body.
        error = self._stopped or error
        words = next((words for kind, words in WORDS if isinstance(error, kind)), type(error).__name__)
        if self.written:
            return Ambiguous(f"no usable answer: {words}")
        plain = isinstance(error, NeverWritten | PrivateNetwork)
        return NotSent(str(error) if plain else f"nothing was sent: {words}")


Exchange = Callable[[Call, Trail], Awaitable[HttpResponse]]


class Network:
    """The kept connections of one event loop; made and used on it."""

    def __init__(self) -> None:
        self._session = _session(GuardedResolver())
        # Whose answer matters no further than its beginning is no provider, but whoever asked to be told: what others
        # write must hold up no look-up of a provider's name, nor share one with it.
        # Nor is a status lost because the body is in a coding that cannot be read here: it is left as it comes.
        self._strangers = _session(
            GuardedResolverOfStrangers(LOOK_UPS_OF_STRANGERS, CONNECT),
            auto_decompress=False,
            headers={"accept-encoding": "identity"},
        )

    async def exchange(self, call: Call, trail: Trail) -> HttpResponse:
        """Writes the request and reads the answer. Raises anything; the trail knows what it means."""
        trail.check_time()
        request = call.request
        url = URL(request.url, encoded=True)
        if url.scheme not in {"http", "https"}:
            raise NeverWritten("nothing was sent: the address is neither http nor https")
        if any(CONTROL.search(part) for header in request.headers.items() for part in header):
            raise NeverWritten("nothing was sent: a header holds a control character")
        session = self._session if request.enough is None else self._strangers
        async with session.request(
            request.method,
            url,
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            # A connection that was made without looking is kept apart from those that were made with it.
            ssl=request.verify_tls,
            trace_request_ctx=trail,
        ) as response:
            body = _read_body(response) if request.enough is None else _read_beginning(response, request.enough)
            return HttpResponse(response.status, _headers_of(response), await body)

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()
        await self._strangers.close()


def _session(
    resolver: GuardedResolver, *, auto_decompress: bool = True, headers: Mapping[str, str] | None = None
) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_report_connection)
    trace.on_request_headers_sent.append(_report_write)
    trace.on_request_chunk_sent.append(_report_body)
    return aiohttp.ClientSession(
        # How many at once is each gateway's own setting, so there is no limit here.
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=KEEP_ALIVE, resolver=resolver, socket_factory=open_socket
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT),
        trace_configs=[trace],
        auto_decompress=auto_decompress,
        headers=headers,
        trust_env=False,
    )


async def _report_connection(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _parameters: aiohttp.TraceConnectionCreateEndParams
) -> None:
    reach(Point.CONNECTED)


async def _report_write(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: aiohttp.TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.about_to_write()


async def _report_body(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: aiohttp.TraceRequestChunkSentParams
) -> None:
    context.trace_request_ctx.about_to_write_body()


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        body += piece
        if len(body) > LARGEST_BODY:
            raise _AnswerTooLarge
    return bytes(body)


async def _read_beginning(response: aiohttp.ClientResponse, enough: int) -> bytes:
    body = bytearray()
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(BEGINNING):
            async for piece in response.content.iter_any():
                body += piece
                if len(body) >= enough:
                    # Where no character of any charset can be cut in two.
                    return bytes(body[:enough]).rstrip(NOT_ASCII)
    return bytes(body)


def _headers_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
