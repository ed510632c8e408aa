"""A way to a server on this machine with somebody at it, who looks when the first byte of a request comes by.

Nothing of the request goes on before that, so what was seen was so while the server knew nothing yet.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.simulators.faulty_server import is_whole
from tests.simulators.own_thread import OwnThread
from tests.simulators.valve import pour

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """One request, what was seen at its first byte, and whether its connection had carried another one before."""

    request: bytes
    found: T
    kept: bool


class Witness(OwnThread, Generic[T]):
    """`url` leads where the address leads that it was given; `look` is called in a thread of its own each time."""

    def __init__(self, url: str, look: Callable[[], T]) -> None:
        super().__init__("witness")
        self.port = int(url.rpartition(":")[2])
        self.look = look
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
                await self._watch(reader, answers)
        finally:
            back.cancel()
            answers.close()
            writer.close()

    async def _watch(self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
        kept = False
        while request := await reader.read(65536):
            found = await asyncio.to_thread(self.look)
            while not is_whole(request):
                request += await reader.readexactly(1)
            self.seen.append(Seen(request, found, kept))
            onward.write(request)
            kept = True
