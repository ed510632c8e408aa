"""A way to a server on this machine with somebody at it, who looks when the first byte of a request comes by.

Nothing of the request goes on before that, so what was seen was so while the server knew nothing yet.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.simulators.faulty_server import is_whole
from tests.simulators.own_thread import OwnThread
from tests.simulators.valve import pour

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """One request, when its first byte came, what was seen then, and whether its connection had carried another."""

    request: bytes
    at: float
    found: T
    kept: bool


class Witness(OwnThread, Generic[T]):
    """`url` leads where the address leads that it was given.

    `look` is called with the caller's port, in a thread of its own each time.
    """

    def __init__(self, url: str, look: Callable[[int], T]) -> None:
        super().__init__("witness")
        self.port = int(url.rpartition(":")[2])
        self.look = look
        #: Requests at which this was seen go no further; a test may change it at any time.
        self.held: Container[T] = ()
        #: Every request that came by, in the order in which they were whole.
        self.seen: list[Seen[T]] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, answers = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(pour(onward, writer))
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._watch(writer.get_extra_info("peername")[1], reader, answers)
        finally:
            back.cancel()
            answers.close()
            writer.close()

    async def _watch(self, caller: int, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
        kept = False
        while request := await reader.read(65536):
            at = time.time()
            found = await asyncio.to_thread(self.look, caller)
            while not is_whole(request):
                request += await reader.readexactly(1)
            self.seen.append(Seen(request, at, found, kept))
            if found in self.held:
                # Ends when the caller hangs up.
                await reader.read(-1)
                return
            onward.write(request)
            kept = True
