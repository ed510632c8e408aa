"""AxelNAC: PacketFence's login, tokens and errors, and the sending that AxelNAC adds to them."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from gateways.outcomes import Outcome
from tests.simulators import server
from tests.simulators.server import Fault

LOGIN = "portal"
PASSWORD = "p&s\"w'ord <слово>"
GATEWAY = "main"
RIGHTS = ("SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE")
IDLES = 15 * 60.0
LASTS = 12 * 3600.0

BAD_CREDENTIALS = "Wasn't able to authenticate those credentials"
BAD_TOKEN = "Invalid token. Login again using /api/v1/login"
NO_TOKEN_INFO = "Couldn't find any information for the current token. Either it is invalid or it has expired."
BAD_REQUEST = "Bad Request. One of the submitted parameters has an invalid format"
NOT_FOUND = "Not Found. The requested resource could not be found"
INVALID = "Request cannot be processed because the resource has failed validation after the modification."


@dataclass
class Issued:
    """A token: when it was given and when it was last used."""

    at: float
    used: float


class Peer(server.Peer):
    """Its clock runs with ours and can be put forward."""

    name: ClassVar[str] = "axelnac"
    submit_paths: ClassVar[tuple[str, ...]] = ("/api/v1/sms_gateways/send_sms",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.EXPIRED_TOKEN,
        Fault.ERROR_IN_200,
        Fault.NO_CONTENT,
    }
    expects: ClassVar[dict[Fault, Outcome]] = {Fault.NO_CONTENT: Outcome.ACCEPTED}

    def __init__(self, simulator: server.Simulator) -> None:
        super().__init__(simulator)
        #: A test takes rights away, or has this system not tell them.
        self.rights: set[str] = set(RIGHTS)
        self.tells_rights = True
        #: Phones of the guests that credentials can be sent to.
        self.people: dict[str, str | None] = {"guest": "+79161234567", "phoneless": None}
        self._tokens: dict[str, Issued] = {}
        self._ahead = 0.0

    def put_forward(self, seconds: float) -> None:
        """Lets time pass for this system alone."""
        self._ahead += seconds

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/api/v1/login", self.login),
            web.get("/api/v1/token_info", self.token_info),
            web.post("/api/v1/sms_gateways/send_sms", self.send_sms),
            web.post("/api/v1/sms_gateways/send_user_credentials", self.send_user_credentials),
            web.route("*", "/api/v1/{unknown:.*}", _unknown),
        ]

    def settings(self) -> dict[str, Any]:
        return {
            "url": self.simulator.url_of(self.name),
            "login": LOGIN,
            "password": PASSWORD,
            "sms_gateway": GATEWAY,
        }

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    async def login(self, request: web.Request) -> web.Response:
        self.count_login()
        try:
            # As Go's reader: blind to the case of keys, to other keys, and to what follows the object.
            given, _end = json.JSONDecoder().raw_decode((await request.text()).lstrip())
            credentials = {name.lower(): value for name, value in given.items()}
        except (ValueError, AttributeError):
            return web.Response(status=400, text="invalid character looking for beginning of value\n")
        if any(not isinstance(credentials.get(name, ""), str) for name in ("username", "password")):
            return web.Response(status=400, text="json: cannot unmarshal into Go struct field of type string\n")
        right = (credentials.get("username"), credentials.get("password")) == (LOGIN, PASSWORD)
        if not right or self.shows(Fault.BAD_CREDENTIALS):
            return web.json_response({"message": BAD_CREDENTIALS}, status=401)
        token = secrets.token_hex(32)
        self._tokens[token] = Issued(self._now(), self._now())
        return web.json_response({"token": token})

    async def token_info(self, request: web.Request) -> web.Response:
        if not self.tells_rights:
            return await _unknown(request)
        issued = self._issued(request)
        if issued is None:
            return web.json_response({"message": NO_TOKEN_INFO}, status=404)
        if not request.query.get("no-expiration-extension"):
            issued.used = self._now()
        item = {
            "admin_actions": sorted(self.rights),
            "admin_roles": ["SMS"],
            "username": LOGIN,
            "expires_at": "2026-11-22T12:15:30Z",
        }
        return web.json_response({"item": item})

    async def send_sms(self, request: web.Request) -> web.Response:
        body = await self._let_in(request, "sms_gateway", "phone_number", "message")
        if isinstance(body, web.Response):
            return body
        if self.shows(Fault.ERROR_IN_200):
            return error(422, INVALID, "phone_number", http_status=200)
        self.simulator.take(self.name, body["phone_number"], body["message"])
        return self._done()

    async def send_user_credentials(self, request: web.Request) -> web.Response:
        body = await self._let_in(request, "sms_gateway", "pid", "password")
        if isinstance(body, web.Response):
            return body
        if body["pid"] not in self.people:
            return error(404, NOT_FOUND)
        phone = self.people[body["pid"]]
        if phone is None:
            return error(422, INVALID, "telephone")
        self.simulator.take(self.name, phone, f"{body['pid']} {body['password']}")
        return self._done()

    async def _let_in(self, request: web.Request, *fields: str) -> dict[str, str] | web.Response:
        """The body of somebody who may send, with all its fields; or the answer to anybody else."""
        issued = self._issued(request)
        if issued is None:
            return web.json_response({"message": BAD_TOKEN}, status=401)
        issued.used = self._now()
        for right in ("SYSTEM_CREATE", *RIGHTS):
            if right not in self.rights:
                sentence = f"Unauthorized access, lacking the {right} administrative role"
                return web.json_response({"message": sentence}, status=403)
        try:
            body: Any = json.loads(await request.text())
        except ValueError:
            return error(400, BAD_REQUEST)
        for field in fields:
            if not isinstance(body, dict) or not isinstance(body.get(field), str) or not body[field]:
                return error(422, INVALID, field)
        if body["sms_gateway"] != GATEWAY:
            return error(404, NOT_FOUND)
        return {field: body[field] for field in fields}

    def _issued(self, request: web.Request) -> Issued | None:
        """The token at hand, if it is good. Bare ones are taken too; the prefix is known in this spelling only."""
        if self.simulator.once(Fault.EXPIRED_TOKEN):
            self._tokens.clear()
        issued = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if issued is None or self._now() - issued.used > IDLES or self._now() - issued.at > LASTS:
            return None
        return issued

    def _done(self) -> web.Response:
        if self.shows(Fault.NO_CONTENT):
            return web.Response(status=204)
        return web.json_response({"message": "SMS sent"})

    def _now(self) -> float:
        return time.monotonic() + self._ahead


def error(status: int, message: str, field: str = "", http_status: int = 0) -> web.Response:
    """An error as PacketFence writes it."""
    body: dict[str, Any] = {"message": message, "status": status}
    if field:
        body["errors"] = [{"field": field, "message": "is not valid"}]
    return web.json_response(body, status=http_status or status)


async def _unknown(request: web.Request) -> web.Response:
    path = request.path.removeprefix(f"/{Peer.name}")
    return error(404, f"Unknown path {path}")
