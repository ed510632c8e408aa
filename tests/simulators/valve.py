"""A way to a server on this machine that can be shut: from then on every question arrives nowhere and is not answered.

It counts the calls that wait, and notes when one of them is given up.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from tests.simulators.relay import Relay


class Valve(Relay):
    """`url` leads where the address leads that it was given, until it is shut."""

    def __init__(self, url: str) -> None:
        super().__init__("valve", url)
        #: Calls that wait for an answer now, by their path.
        self.waiting: Counter[str] = Counter()
        #: When each call was given up that was given up.
        self.given_up: list[datetime] = []
        self._shut = False

    def shut(self) -> None:
        """Lets nothing through any more; what is under way still ends."""
        self._shut = True

    async def carry(self, _caller: int, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
        while said := await reader.read(65536):
            if self._shut:
                await self._keep_waiting(said.split(b" ")[1].decode(), reader)
                return
            onward.write(said)

    async def _keep_waiting(self, path: str, reader: asyncio.StreamReader) -> None:
        self.waiting[path] += 1
        try:
            # Ends when the caller hangs up.
            await reader.read(-1)
            self.given_up.append(datetime.now(UTC))
        finally:
            self.waiting[path] -= 1
