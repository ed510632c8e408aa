"""Callers of a web server on connections that stay open; no more than sockets, to leave the machine to the server."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
GOOD = re.compile(rb"HTTP/1\.1 2\d\d")
#: The n-th call as it goes over the wire.
Written = Callable[[int], bytes]


def post(url: str, body: Callable[[int], object], token: str, *, callers: int, seconds: float) -> float:
    """Calls answered per second, each with success; `body` makes the n-th one's JSON."""
    head = head_of("POST", url, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    return call(
        url, lambda number: with_body(head, json.dumps(body(number)).encode()), callers=callers, seconds=seconds
    )


def call(url: str, written: Written, *, callers: int, seconds: float, says: bytes = b"") -> float:
    """The same for calls of any kind at that server; `says` is what every good answer holds."""
    return asyncio.run(_Load(url, written, says, seconds).run(callers))


def head_of(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """The head of a call but for its end."""
    address = urlsplit(url)
    path = f"{address.path}?{address.query}" if address.query else address.path
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", *(f"{name}: {headers[name]}" for name in headers)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def with_body(head: bytes, body: bytes) -> bytes:
    """The whole call."""
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class _Load:
    def __init__(self, url: str, written: Written, says: bytes, seconds: float) -> None:
        self.address = urlsplit(url)
        self.written = written
        self.says = says
        self.seconds = seconds
        self.asked = self.answered = 0
        self.until = 0.0

    async def run(self, callers: int) -> float:
        """Until the time is over and the last answer is there."""
        began = time.perf_counter()
        self.until = began + self.seconds
        async with asyncio.TaskGroup() as together:
            for _ in range(callers):
                together.create_task(self._call())
        return self.answered / (time.perf_counter() - began)

    async def _call(self) -> None:
        reader, writer = await asyncio.open_connection(self.address.hostname, self.address.port)
        while time.perf_counter() < self.until:
            self.asked += 1
            writer.write(self.written(self.asked))
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
            if not GOOD.match(head) or self.says not in answer:
                raise AssertionError(f"{self.address.path}: {head[:60]!r} {answer[:300]!r}")
            self.answered += 1
            if b"\nConnection: close" in head:
                raise AssertionError("the server does not keep its connections")
        writer.close()
