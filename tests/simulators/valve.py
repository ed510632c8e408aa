"""A way to a server on this machine that can be shut: from then on every question arrives nowhere and is not answered.

It counts the calls that wait, and notes when one of them is given up.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from tests.simulators.own_thread import OwnThread


class Valve(OwnThread):
    """`url` leads where the address leads that it was given, until it is shut."""

    def __init__(self, url: str) -> None:
        super().__init__("valve")
        self.port = int(url.rpartition(":")[2])
        #: Calls that wait for an answer now, by their path.
        self.waiting: Counter[str] = Counter()
        #: When each call was given up that was given up.
        self.given_up: list[datetime] = []
        self._shut = False

    def shut(self) -> None:
        """Lets nothing through any more; what is under way still ends."""
        self._shut = True

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
                while said := await reader.read(65536):
                    if self._shut:
                        await self._keep_waiting(said.split(b" ")[1].decode(), reader)
                        return
                    answers.write(said)
        finally:
            back.cancel()
            answers.close()
            writer.close()

    async def _keep_waiting(self, path: str, reader: asyncio.StreamReader) -> None:
        self.waiting[path] += 1
        try:
            # Ends when the caller hangs up.
            await reader.read(-1)
            self.given_up.append(datetime.now(UTC))
        finally:
            self.waiting[path] -= 1


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries what comes until there is no more, or nobody takes it."""
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            writer.write(said)
