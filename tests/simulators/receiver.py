"""Somebody else's server that is told of events, and believes only what the library of the standard lets it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.simulators.own_thread import OwnThread


@dataclass(frozen=True)
class Heard:
    """One call that was verified."""

    id: str
    type: str
    data: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    body: str = field(repr=False)


class Receiver(OwnThread):
    """Use it as a context manager; `url` is its address. `secret` is given once the webhook is made.

    While it is `down` it answers 500 and keeps nothing. `statuses` are answered first, one each.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__("receiver")
        self._port = port
        self.secret = ""
        self.down = False
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.answer = ""
        #: Where it is clear, calls are not answered until it is set.
        self.answers = Event()
        self.answers.set()
        self.heard: list[Heard] = []
        self.refused: list[str] = []
        self.calls: list[tuple[dict[str, str], str]] = []

    @property
    def ids(self) -> list[str]:
        """The ids of what was verified, in order."""
        return [heard.id for heard in self.heard]

    def verify(self, body: str, headers: dict[str, str]) -> dict[str, Any]:
        """What a call says. Raises WebhookVerificationError."""
        said: dict[str, Any] = Webhook(self.secret).verify(body, headers)
        return said

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._hear)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append((headers, body))
        while not self.answers.is_set():
            await self._a_moment()
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), headers=self.headers, text=self.answer)
        if self.down:
            return web.Response(status=500)
        try:
            said = self.verify(body, headers)
        except WebhookVerificationError as error:
            self.refused.append(str(error))
            return web.Response(status=401)
        self.heard.append(Heard(headers["webhook-id"], said.get("type", ""), said.get("data", {}), headers, body))
        return web.Response(status=204)

    async def _a_moment(self) -> None:
        """Without holding up other calls."""
        loop = self._loop
        await loop.run_in_executor(None, self.answers.wait, 0.05)
