"""Any provider: a small JSON API of our own invention, such as an administrator describes in the form of `http`."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from aiohttp import web

from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

KEY = "k3y/of+any=provider&more"
STATES = {
    ReceiptState.PENDING: "sent",
    ReceiptState.DELIVERED: "delivered",
    ReceiptState.UNDELIVERED: "failed",
    ReceiptState.EXPIRED: "expired",
    ReceiptState.UNCONFIRMED: "unknown",
}
BODY = {"to": "{{to}}", "text": "{{text}}", "id": "{{id}}", "from": "{{sender}}", "callback": "{{callback_url}}"}


class Peer(server.Peer):
    """Knows a repeated message by its id, tells states when it is asked, and calls with JSON or a query."""

    name: ClassVar[str] = "http"
    submit_paths: ClassVar[tuple[str, ...]] = ("/send",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.BLOCKED_HOST,
        Fault.ERROR_IN_200,
        Fault.NO_CONTENT,
        Fault.DUPLICATE_CALLBACK,
    }

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/send", self.send), web.get("/status", self.status)]

    def settings(self) -> dict[str, Any]:
        url = self.simulator.url_of(self.name)
        return {
            "url": f"{url}/send",
            "content_type": "json",
            "body": json.dumps(BODY),
            "auth": "bearer",
            "api_key": KEY,
            "ok": "json:$.ok = true",
            "reference": "json:$.id",
            "fail": "json:$.error",
            "error": "json:$.error",
            "error_map": "blocked = gateway_fault",
            "repeat_is_safe": True,
            "status_url": f"{url}/status?id={{{{id}}}}",
            "status": "json:$.state",
            "status_map": "\n".join(f"{theirs} = {ours}" for ours, theirs in STATES.items()),
            "callback_id": "id",
            "callback_status": "state",
            "callback_from": "from",
            "callback_text": "text",
        }

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "api_key": "wrong"}

    async def send(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            body = json.loads(await request.text())
            phone, text, key, sender, callback = (body[name] for name in ("to", "text", "id", "from", "callback"))
        except (ValueError, LookupError, TypeError):
            return error("body", 400)
        if self.shows(Fault.ERROR_IN_200) or not phone.startswith("+"):
            return error("phone")
        taken = self.simulator.take(self.name, phone, text, sender, key, dedupes=True, callback_url=callback)
        if self.shows(Fault.NO_CONTENT):
            return web.Response(status=204)
        return web.json_response({"ok": True, "id": taken.reference})

    async def status(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        taken = self.simulator.get(self.name, request.query.get("id", ""))
        return web.json_response({"state": STATES[taken.state]}) if taken else error("id", 404)

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        fields = urlencode({"id": taken.reference, "state": STATES[state]})
        return Call("GET", f"{callback_url}?{fields}")

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call | None:
        body = json.dumps({"id": reference, "from": phone, "text": text})
        return Call("POST", callback_url, {"content-type": "application/json"}, body.encode())

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self.shows(Fault.BLOCKED_HOST):
            return error("blocked", 403)
        wrong = request.headers.get("authorization") != f"Bearer {KEY}"
        return error("key", 401) if wrong or self.shows(Fault.BAD_CREDENTIALS) else None


def error(word: str, status: int = 200) -> web.Response:
    """What went wrong, in a word."""
    return web.json_response({"ok": False, "error": word}, status=status)
