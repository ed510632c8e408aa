"""A provider on a free port of 127.0.0.1 that takes everything after 100 ms; prints its port. Its own process.

Nothing but a protocol on sockets: it must not be what limits the figures. `GET` says when the codes arrived.
"""

import asyncio
import itertools
import json
import re
import time

ANSWERS_AFTER = 0.1
#: Phones of codes begin so; when one arrives is noted.
CODES = re.compile(rb"7999\d{7}")
LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

references = itertools.count(1)
arrivals: dict[str, float] = {}


class Provider(asyncio.Protocol):
    """One connection, kept as long as its caller likes."""

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Whole requests are taken, the rest waits."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < whole:
                return
            request, self.buffer = self.buffer[:whole], self.buffer[whole:]
            self._take(request)

    def _take(self, request: bytes) -> None:
        if request.startswith(b"GET"):
            self._say(json.dumps(arrivals).encode())
            return
        if code := CODES.search(request):
            arrivals["+" + code[0].decode()] = time.time()
        answer = b'{"id": "%d"}' % next(references)
        asyncio.get_running_loop().call_later(ANSWERS_AFTER, self._say, answer)

    def _say(self, body: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(HEAD % (len(body), body))


async def main() -> None:
    """Serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
