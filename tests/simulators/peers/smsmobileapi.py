"""SMSmobileAPI: a key or OAuth2, forms only, application errors in a 200, calls of two versions.

Its gateways log in by OAuth2 unless a test takes `settings_with_key`. `/deletesms/`, the numbers of errors and the
answers to a login and to a resend are our own guess.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web

from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

KEY = "k&y of <the> account"
CLIENT_ID = "portal"
CLIENT_SECRET = 's&cret "of" <the> portal'
WEBHOOK_SECRET = "wh & secret"
FORM = "application/x-www-form-urlencoded"

FAILED = {ReceiptState.UNDELIVERED, ReceiptState.EXPIRED}
EVENTS = {ReceiptState.PENDING: "sms.api.submitted", **dict.fromkeys(FAILED, "sms.failed")}


class Peer(server.Peer):
    name: ClassVar[str] = "smsmobileapi"
    submit_paths: ClassVar[tuple[str, ...]] = ("/sendsms/", "/resend/")
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.EXPIRED_TOKEN,
        Fault.ERROR_IN_200,
        Fault.DUPLICATE_CALLBACK,
        Fault.BAD_SIGNATURE,
    }

    def __init__(self, simulator: server.Simulator) -> None:
        super().__init__(simulator)
        #: How many phones run the app.
        self.connected = 1
        self._tokens: set[str] = set()
        self._deleted: set[str] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        both = {
            "/sendsms/": self.send,
            "/resend/": self.resend,
            "/log/sent/sms/": self.log,
            "/getsms/": self.received,
            "/gateway/mobile/list/": self.phones,
            "/deletesms/": self.delete,
        }
        routes = [method(path, handler) for path, handler in both.items() for method in (web.get, web.post)]
        return [web.post("/oauth2/token", self.token), *routes]

    def settings(self) -> dict[str, Any]:
        pair = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {"url": self.simulator.url_of(self.name), **pair, "webhook_secret": WEBHOOK_SECRET}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "client_secret": "wrong"}

    def settings_with_key(self) -> dict[str, Any]:
        """As `settings`, by the key of the account."""
        return {"url": self.simulator.url_of(self.name), "api_key": KEY, "webhook_secret": WEBHOOK_SECRET}

    def too_many(self) -> web.Response:
        return error(429, "too many requests", {"retry-after": "2"})

    async def token(self, request: web.Request) -> web.Response:
        self.count_login()
        form = await _form(request)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        right = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not right or self.shows(Fault.BAD_CREDENTIALS):
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    async def send(self, request: web.Request) -> web.Response:
        given = await _given(request)
        if not self._is_let_in(request, given):
            return error(403, "API key invalid, expired or unauthorized")
        shape = r"[0-9]+" if given.get("waonly") == "yes" else r"\+[0-9]+"
        if not re.fullmatch(shape, given.get("recipients", "")) or not given.get("message"):
            return error(400, "missing or invalid parameter")
        if self.shows(Fault.ERROR_IN_200):
            return application_error("5")
        return self._accept(given["recipients"], given["message"], given.get("sIdentifiant", ""))

    async def resend(self, request: web.Request) -> web.Response:
        given = await _given(request)
        if not self._is_let_in(request, given):
            return error(403, "API key invalid, expired or unauthorized")
        former = self._known(given.get("guid", ""))
        if former is None or former.state not in FAILED or self.shows(Fault.ERROR_IN_200):
            return application_error("9")
        return self._accept(former.phone, former.text, former.sender)

    async def log(self, request: web.Request) -> web.Response:
        """A message that is still on its way has no row; nothing tells whose a row is but what was asked."""
        given = await _given(request)
        if not self._is_let_in(request, given):
            return error(403, "API key invalid, expired or unauthorized")
        asked = self._known(given.get("guid_message", ""))
        rows: list[dict[str, str]] = []
        if asked and asked.state is not ReceiptState.PENDING:
            failed = asked.state in FAILED
            row = {"send_from_mobile": "0" if failed else "1", "send_from_mobile_erreur": "RADIO_OFF" if failed else ""}
            rows = [{**row, "error_api": ""}]
        return web.json_response({"result": {"error": "" if rows else "no result", "sms": rows}})

    async def received(self, request: web.Request) -> web.Response:
        """A wrong key is answered with an empty list."""
        given = await _given(request)
        since = int(given.get("after_timestamp_unix", "0"))
        rows = [
            {
                "id": number,
                "sIdentifiantPhone": "office",
                "timestamp_unix": int(sms.at.timestamp()),
                "message": sms.text,
                "number": sms.phone,
                "guid": sms.reference,
                "alias": None,
            }
            for number, sms in enumerate(self.simulator.written_to(self.name), start=1)
            if sms.at and sms.at.timestamp() > since and self._is_let_in(request, given)
        ]
        return web.json_response({"result": {"error": "", "sms": rows}})

    async def phones(self, request: web.Request) -> web.Response:
        if not self._is_let_in(request, await _given(request)):
            return error(403, "API key invalid, expired or unauthorized")
        items = [{"sid": f"office-{number}"} for number in range(self.connected)]
        limits = {"connected_available": 3, "connected_limit": 3, "connected_now": self.connected}
        return web.json_response({"success": True, **limits, "filters": {}, "items": items, "note": ""})

    async def delete(self, request: web.Request) -> web.Response:
        given = await _given(request)
        if not self._is_let_in(request, given):
            return error(403, "API key invalid, expired or unauthorized")
        self._deleted.add(given.get("guid", ""))
        return web.json_response({"result": {"error": 0}})

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call:
        happened = {"guid": taken.reference, "to": taken.phone}
        if state in FAILED:
            happened["error"] = "RADIO_OFF"
        return self._event(EVENTS.get(state, "sms.sent"), happened, callback_url)

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call:
        """As the second version tells it."""
        told = {"guid": reference, "from": phone, "message": text, "received_at": _now(), "device_id": "office"}
        return self._event("sms.received", told, callback_url)

    def inbound_call_of_old(self, phone: str, text: str, callback_url: str, reference: str) -> Call:
        """As the first version tells it, which signs nothing."""
        day, hour = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}".split()
        told = {"date": day, "hour": hour, "time_received": f"{day} {hour}", "message": text, "number": phone}
        body = json.dumps({**told, "guid": reference}).encode()
        return Call("POST", callback_url, {"content-type": "application/json"}, body)

    def _event(self, kind: str, happened: Mapping[str, str], url: str) -> Call:
        event = {"id": str(uuid4()), "type": kind, "api_version": "2026-09-22"}
        moments = {"created_at": _now(), "occurred_at": _now()}
        body = json.dumps({**event, **moments, "data": happened}).encode()
        moment = str(int(time.time()))
        secret = "somebody else's" if self.shows(Fault.BAD_SIGNATURE) else WEBHOOK_SECRET
        digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "idempotency-key": event["id"],
            "x-smsmobileapi-event": kind,
            "x-smsmobileapi-event-id": event["id"],
            "x-smsmobileapi-timestamp": moment,
            "x-smsmobileapi-signature": f"v1={digest}",
        }
        return Call("POST", url, headers, body)

    def _is_let_in(self, request: web.Request, given: Mapping[str, str]) -> bool:
        if self.simulator.once(Fault.EXPIRED_TOKEN):
            self._tokens.clear()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        right = token in self._tokens if token else given.get("apikey") == KEY
        return right and not self.shows(Fault.BAD_CREDENTIALS)

    def _known(self, guid: str) -> TakenSms | None:
        return None if guid in self._deleted else self.simulator.get(self.name, guid)

    def _accept(self, phone: str, text: str, device: str) -> web.Response:
        guid = hashlib.sha1(str(len(self.simulator.taken)).encode()).hexdigest()
        self.simulator.take(self.name, phone, text, sender=device, reference=guid)
        result = {
            "error": 0,
            "sent": "1",
            "id": guid,
            "note": "sent by mobile",
            "datetime": _now(),
            "datetimeLocal": _now(),
            "port": None,
            "iac_control": "1",
            "iac_authorized": "1",
            "send_with_whatsapp": "0",
            "encrypted": {"status": "0"},
            "trial_account": {"status": "0", "sms_sent": 0},
        }
        return web.json_response({"result": result})


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": str(status), "message": message}, status=status, headers=headers)


def application_error(number: str) -> web.Response:
    return web.json_response({"result": {"error": number, "sent": "0", "id": "", "note": "blocked"}})


async def _form(request: web.Request) -> dict[str, str]:
    """The body's fields; a body that is not a form has none."""
    is_form = request.content_type == FORM
    return dict(parse_qsl(await request.text(), keep_blank_values=True)) if is_form else {}


async def _given(request: web.Request) -> dict[str, str]:
    return {**dict(request.query), **await _form(request)}


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
