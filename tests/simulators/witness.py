"""A way to a server on this machine with somebody at it, who looks when the first byte of a request comes by.

Nothing of the request goes on before that, so what was seen was so while the server knew nothing yet.
"""

import asyncio
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.simulators.faulty_server import is_whole
from tests.simulators.relay import Relay

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """One request, when its first byte came, what was seen then, and whether its connection had carried another."""

    request: bytes
    at: float
    found: T
    kept: bool


class Witness(Relay, Generic[T]):
    """`url` leads where the address leads that it was given.

    `look` is called with the caller's port, in a thread of its own each time.
    """

    def __init__(self, url: str, look: Callable[[int], T]) -> None:
        super().__init__("witness", url)
        self.look = look
        #: Requests at which this was seen go no further; a test may change it at any time.
        self.held: Container[T] = ()
        #: Every request that came by, in the order in which they were whole.
        self.seen: list[Seen[T]] = []

    async def carry(self, caller: int, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
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
