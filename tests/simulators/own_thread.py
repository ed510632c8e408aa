"""A server on 127.0.0.1 in a thread and a loop of its own, so that tests may block while it answers."""

import asyncio
import threading
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self


class OwnThread(ABC):
    """Use it as a context manager; `url` is its address meanwhile."""

    def __init__(self, name: str) -> None:
        self.url = ""
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=name)
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event

    @abstractmethod
    def listening(self) -> AbstractAsyncContextManager[str]:
        """Listens at the address it gives, and no longer than the block."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.url:
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        try:
            async with self.listening() as self.url:
                self._started.set()
                await self._closing.wait()
        finally:
            self._started.set()
