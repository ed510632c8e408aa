"""Runtel PBX: one address, an action envelope, and a host that is blocked after too many wrong logins.

The action that sends (`append` of an `Sms`) is our own invention: its documentation has none.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from tests.simulators import server
from tests.simulators.server import Fault

LOGIN = "portal@pbx.example.org"
PASSWORD = "p&s\"w'ord <слово>"
#: Wrong logins after which the host is blocked; the real figure is a setting of the platform.
MOST_WRONG_LOGINS = 3
LASTS = timedelta(hours=4)
PARAMS = '{"phone": "{{to}}", "text": "{{text}}", "sender": "{{sender}}", "id": "{{id}}"}'


class Peer(server.Peer):
    """Reports errors in `code` under HTTP 200."""

    name: ClassVar[str] = "runtel"
    submit_paths: ClassVar[tuple[str, ...]] = ("/api/",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.BLOCKED_HOST,
        Fault.EXPIRED_TOKEN,
        Fault.ERROR_IN_200,
    }

    def __init__(self, simulator: server.Simulator) -> None:
        super().__init__(simulator)
        #: «Защитник»: a test sets it to 0 to unblock the host.
        self.wrong_logins = 0
        self._tokens: set[str] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/api/", self.act)]

    def submits(self, path: str, body: bytes) -> bool:
        """Every action has the same address."""
        return super().submits(path, body) and b'"Sms"' in body

    def settings(self) -> dict[str, Any]:
        return {
            "url": self.simulator.url_of(self.name),
            "login": LOGIN,
            "password": PASSWORD,
            "action": "append",
            "obj": "Sms",
            "params": PARAMS,
        }

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    async def act(self, request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.text())
            act = {
                ("auth", "User"): self._log_in,
                ("logout", "User"): self._log_out,
                ("append", "Sms"): self._send,
            }.get((asked["action"], asked["obj"]))
            complete = isinstance(asked["action_id"], str) and isinstance(asked["params"], dict)
        except (ValueError, LookupError, TypeError):
            return web.Response(status=400)
        if (asked["action"], asked["obj"]) == ("auth", "User"):
            self.count_login()
        if self.shows(Fault.BLOCKED_HOST) or self.wrong_logins >= MOST_WRONG_LOGINS:
            return web.Response(status=403)
        if not complete or request.content_type != "application/json":
            return web.Response(status=400)
        if act is None:
            return answer(asked, 404)
        return act(request, asked)

    def _log_in(self, request: web.Request, asked: dict[str, Any]) -> web.Response:
        if asked["params"] != {"login": LOGIN, "password": PASSWORD} or self.shows(Fault.BAD_CREDENTIALS):
            self.wrong_logins += 1
            return answer(asked, 401)
        self.wrong_logins = 0
        token = f"J{secrets.token_urlsafe(40)}W"
        self._tokens.add(token)
        ends = datetime.now(UTC).replace(tzinfo=None) + LASTS
        return answer(
            asked,
            200,
            {
                "version": {"software": "2.9.0", "last_update": 1631889200.532154},
                "exp": ends.isoformat(),
                "user_id": 48,
                "user_name": "Алексей",
                "user_login": LOGIN,
                "domain_id": 34,
                "role_id": 2,
                "role_name": "PBX administrator",
                "role_type": 1,
                "role_perms": {},
                "auth_type": "http",
                "domain_test_until": None,
                "domain_billing_options": {"balance": "1000.0", "block_outbound": False},
                "tz": "Europe/Prague",
                "locale": "en_US",
                "token": token,
            },
        )

    def _log_out(self, request: web.Request, asked: dict[str, Any]) -> web.Response:
        self._tokens.discard(_token(request))
        return answer(asked, 200, {})

    def _send(self, request: web.Request, asked: dict[str, Any]) -> web.Response:
        if self.simulator.once(Fault.EXPIRED_TOKEN):
            self._tokens.clear()
        if _token(request) not in self._tokens:
            return answer(asked, 401)
        params = asked["params"]
        if self.shows(Fault.ERROR_IN_200) or not all(isinstance(params.get(name), str) for name in ("phone", "text")):
            return answer(asked, 422)
        sms = self.simulator.take(
            self.name, params["phone"], params["text"], params.get("sender", ""), params.get("id", "")
        )
        return answer(asked, 200, {"id": int(sms.reference)})


def answer(asked: dict[str, Any], code: int, body: dict[str, Any] | None = None) -> web.Response:
    """The envelope, which repeats what was asked."""
    notifies = [] if code == 200 else [{"type": "error", "text": "Unauthorized" if code == 401 else "Error"}]
    echoed = {name: asked[name] for name in ("action", "action_id", "obj")}
    headers = {"access-control-allow-origin": "*", "access-control-allow-methods": "GET, POST, OPTIONS"}
    return web.json_response({**echoed, "code": code, "notifies": notifies, "body": body}, headers=headers)


def _token(request: web.Request) -> str:
    scheme, _blank, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""
