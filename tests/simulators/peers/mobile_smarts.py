"""Mobile SMARTS: Basic, or a session that is renewed by a token of its own, at three addresses.

It sends no SMS. `/api/v1/sms` is our own invention, so that the generic provider can be let in this way.
"""

import binascii
import json
import secrets
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from tests.simulators import server
from tests.simulators.server import Fault

LOGIN = "portal@example.org"
PASSWORD = "p&s\"w'ord <слово>"
LASTS = 86400


class Peer(server.Peer):
    """Its gateways are those of the provider `http`."""

    name: ClassVar[str] = "mobile_smarts"
    submit_paths: ClassVar[tuple[str, ...]] = ("/api/v1/sms",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.EXPIRED_TOKEN,
        Fault.ERROR_IN_200,
        Fault.SNAKE_CASING,
    }

    def __init__(self, simulator: server.Simulator) -> None:
        super().__init__(simulator)
        self._tokens: set[str] = set()
        self._refresh_tokens: set[str] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/api/v1/session", self.session_by_get),
            web.post("/api/v1/session", self.session_by_post),
            web.get("/api/session", self.session_by_get),
            web.post("/api/session", self.session_by_post),
            web.post("/oauth/token", self.session_by_post),
            web.post("/api/v1/sms", self.send),
        ]

    def settings(self) -> dict[str, Any]:
        url = self.simulator.url_of(self.name)
        return {
            "url": f"{url}/api/v1/sms",
            "auth": "session",
            "auth_url": f"{url}/api/v1/session",
            "login": LOGIN,
            "password": PASSWORD,
            "client_id": "123",
            "client_secret": "user",
            "content_type": "json",
            "body": '{"phone": "{{to}}", "text": "{{text}}", "id": "{{id}}"}',
            "reference": "json:$.id",
            "fail": "json:$.error",
        }

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    async def session_by_get(self, request: web.Request) -> web.Response:
        return self._log_in(request.query.get("username", ""), request.query.get("password", ""))

    async def session_by_post(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return web.json_response({"error": "invalid_request"}, status=400)
        form = await request.post()
        match form.get("grant_type"):
            case "password":
                return self._log_in(str(form.get("username")), str(form.get("password")))
            case "refresh_token":
                return self._renew(str(form.get("refresh_token")))
        return web.json_response({"error": "unsupported_grant_type"}, status=400)

    async def send(self, request: web.Request) -> web.Response:
        if self.simulator.once(Fault.EXPIRED_TOKEN):
            self._tokens.clear()
        if not self._is_let_in(request.headers.get("authorization", "")):
            return error(401, "Authorization has been denied for this request.")
        try:
            body = json.loads(await request.text())
            phone, text, key = (body[name] for name in ("phone", "text", "id"))
        except (ValueError, LookupError, TypeError):
            return error(400, "The request is invalid.")
        if self.shows(Fault.ERROR_IN_200):
            return error(200, "The phone is invalid.")
        return web.json_response({"id": self.simulator.take(self.name, phone, text, key=key).reference})

    def _log_in(self, login: str, password: str) -> web.Response:
        self.count_login()
        if not self._knows(f"{login}:{password}"):
            return web.json_response({"error": "invalid_grant"}, status=401)
        return self._session()

    def _renew(self, refresh_token: str) -> web.Response:
        """Both tokens are new; the old one to renew by is good once."""
        if refresh_token not in self._refresh_tokens or self.shows(Fault.BAD_CREDENTIALS):
            return web.json_response({"error": "invalid_grant"}, status=400)
        self._refresh_tokens.remove(refresh_token)
        return self._session()

    def _session(self) -> web.Response:
        token, refresh_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._tokens.add(token)
        self._refresh_tokens.add(refresh_token)
        body = {
            "Access_token": token,
            "Token_type": "bearer",
            "Expires_in": LASTS,
            "Refresh_token": refresh_token,
        }
        if self.shows(Fault.SNAKE_CASING):
            body = {name.lower(): value for name, value in body.items()}
        return web.json_response(body)

    def _is_let_in(self, authorization: str) -> bool:
        scheme, _blank, given = authorization.partition(" ")
        if scheme == "Basic":
            return self._knows(_pair(given))
        return scheme == "Bearer" and given in self._tokens

    def _knows(self, pair: str) -> bool:
        return pair == f"{LOGIN}:{PASSWORD}" and not self.shows(Fault.BAD_CREDENTIALS)


def error(status: int, message: str) -> web.Response:
    """An error as OData writes it."""
    return web.json_response({"error": {"code": "", "message": message}}, status=status)


def _pair(given: str) -> str:
    """Login and password, plain or in base64; what has no colon decoded was not encoded."""
    try:
        decoded = b64decode(given, validate=True).decode()
    except (binascii.Error, ValueError):
        return given
    return decoded if ":" in decoded else given
