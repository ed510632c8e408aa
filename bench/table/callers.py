"""Callers of a web server on connections that stay open; no more than sockets, to leave the machine to the server."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


def post(url: str, body: Callable[[int], object], token: str, *, callers: int, seconds: float) -> float:
    """Calls answered per second, each with 200; `body` makes the n-th one's."""
    return asyncio.run(_Load(url, body, token, seconds).run(callers))


class _Load:
    def __init__(self, url: str, body: Callable[[int], object], token: str, seconds: float) -> None:
        self.address = urlsplit(url)
        self.body = body
        self.head = (
            f"POST {self.address.path} HTTP/1.1\r\nHost: {self.address.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
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
            body = json.dumps(self.body(self.asked)).encode()
            writer.write(self.head + b"%d\r\n\r\n%s" % (len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(f"{self.address.path}: {head[:60]!r} {answer[:300]!r}")
            self.answered += 1
            if b"\nConnection: close" in head:
                raise AssertionError("the server does not keep its connections")
        writer.close()
