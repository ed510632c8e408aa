"""A way to a server on this machine that can be shut: from then on every question arrives nowhere and is not answered.

It counts the calls that wait, and notes when one of them is given up.
"""

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType


class Valve:
    """Use it as a context manager; `url` leads where the address leads that it was given, until it is shut."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rpartition(":")[2])
        self.url = ""
        #: Calls that wait for an answer now, by their path.
        self.waiting: Counter[str] = Counter()
        #: When each call was given up that was given up.
        self.given_up: list[datetime] = []
        self._shut = False
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="valve")
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event

    def __enter__(self) -> "Valve":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.url:
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def shut(self) -> None:
        """Lets nothing through any more; what is under way still ends."""
        self._shut = True

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        try:
            server = await asyncio.start_server(self._take, "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._started.set()
            await self._closing.wait()
            server.close()
        finally:
            self._started.set()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, answers = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(_pour(onward, writer))
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


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            writer.write(said)
