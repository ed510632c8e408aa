"""A way to a server on this machine; what goes on there is decided by whoever makes a `Relay` of it."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.simulators.own_thread import OwnThread


class Relay(OwnThread):
    """`url` leads where the address leads that it was given."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name)
        self.port = int(url.rpartition(":")[2])

    @abstractmethod
    async def carry(self, caller: int, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
        """Takes onward what is read from a caller, who is known by the port; returns when that is over."""

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
                await self.carry(writer.get_extra_info("peername")[1], reader, answers)
        finally:
            back.cancel()
            answers.close()
            writer.close()


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries what comes until there is no more, or nobody takes it."""
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            writer.write(said)
