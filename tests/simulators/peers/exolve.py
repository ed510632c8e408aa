"""MTS Exolve: JSON with an application's key; it reports no delivery. The shape of its errors is our own guess."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from tests.simulators import server
from tests.simulators.server import Fault

KEY = "application.key.jwt"
#: Beyond what a number with a floating point holds.
FIRST_ID = 439166538239448536


class Peer(server.Peer):
    name: ClassVar[str] = "exolve"
    submit_paths: ClassVar[tuple[str, ...]] = ("/messaging/v1/SendSMS",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {Fault.ERROR_IN_200}

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/messaging/v1/SendSMS", self.send), web.post("/finance/v1/GetBalance", self.balance)]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "api_key": KEY}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "api_key": "wrong"}

    def too_many(self) -> web.Response:
        return error(429, 8, "too many requests", {"retry-after": "2"})

    async def send(self, request: web.Request) -> web.Response:
        body = await self._let_in(request)
        if isinstance(body, web.Response):
            return body
        if not all(isinstance(body.get(name), str) and body[name] for name in ("number", "destination", "text")):
            return error(400, 3, "a parameter is missing")
        if not body["destination"].isdigit() or body["number"].startswith("+"):
            return error(400, 3, "a number is written in digits alone")
        if self.shows(Fault.ERROR_IN_200):
            return error(200, 3, "the destination is not allowed")
        reference = str(FIRST_ID + len(self.simulator.taken))
        taken = self.simulator.take(
            self.name, body["destination"], body["text"], sender=body["number"], reference=reference
        )
        return web.json_response({"message_id": taken.reference})

    async def balance(self, request: web.Request) -> web.Response:
        body = await self._let_in(request)
        return body if isinstance(body, web.Response) else web.json_response({"balance": 3520.38, "credit_limit": 0})

    async def _let_in(self, request: web.Request) -> dict[str, Any] | web.Response:
        """The body of whoever knows the key, or the answer to anybody else."""
        if request.headers.get("authorization") != f"Bearer {KEY}" or self.shows(Fault.BAD_CREDENTIALS):
            return error(401, 16, "unauthenticated")
        try:
            body: Any = json.loads(await request.text())
        except ValueError:
            body = None
        return body if isinstance(body, dict) else error(400, 3, "the body is not an object")


def error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
