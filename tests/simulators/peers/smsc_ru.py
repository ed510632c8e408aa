"""SMSC.ru: forms in the charset they name, HTTP 200 whatever happens, and an `id` of ours that need not be unique."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateways.http import FORM
from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

LOGIN, PASSWORD, SECRET = "portal", "pa ss&word<1>", "обратный секрет"
MOSCOW = timezone(timedelta(hours=3))
OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
VALIDITY = re.compile(r"(?:0[0-9]|1[0-9]|2[0-4]):[0-5][0-9]")
NOT_FOUND = -3
#: `status` and `err`.
STATES = {
    ReceiptState.PENDING: (0, 0),
    ReceiptState.DELIVERED: (1, 0),
    ReceiptState.UNDELIVERED: (20, 6),
    ReceiptState.EXPIRED: (3, 6),
    ReceiptState.UNCONFIRMED: (0, 0),
}
ERRORS = {
    1: "parameters error",
    2: "authorise error",
    4: "your IP is blocked",
    7: "invalid number",
    9: "duplicate request, wait a minute",
}


class Peer(server.Peer):
    name: ClassVar[str] = "smsc_ru"
    submit_paths: ClassVar[tuple[str, ...]] = ("/sys/send.php",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.BLOCKED_HOST,
        Fault.ERROR_IN_200,
        Fault.DUPLICATE_CALLBACK,
        Fault.BAD_SIGNATURE,
    }

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.route(method, f"/sys/{name}.php", handler)
            for method in ("GET", "POST")
            for name, handler in (("send", self.send), ("status", self.status), ("balance", self.balance))
        ]

    def settings(self) -> dict[str, Any]:
        return {
            "url": self.simulator.url_of(self.name),
            "login": LOGIN,
            "password": PASSWORD,
            "webhook_secret": SECRET,
        }

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    def too_many(self) -> web.Response:
        return failure(9)

    async def send(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        phone, text, own_id = fields.get("phones", ""), fields.get("mes", ""), fields.get("id", "")
        if not text or not OWN_ID.fullmatch(own_id) or not VALIDITY.fullmatch(fields.get("valid", "24:00")):
            return failure(1)
        if self.shows(Fault.ERROR_IN_200) or not re.fullmatch(r"\+?[0-9]{11,15}", phone):
            return failure(7)
        taken = self.simulator.take(self.name, phone, text, fields.get("sender", ""), key=own_id, reference=own_id)
        return web.json_response({"id": taken.reference, "cnt": taken.billed})

    async def status(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        phones, ids = fields.get("phone", "").split(","), fields.get("id", "").split(",")
        if len(phones) != len(ids) or not ids[0]:
            return failure(1)
        if len(ids) == 1:
            return web.json_response(self._state(phones[0], ids[0]))
        asked = [(phone, own_id) for phone, own_id in zip(phones, ids, strict=True) if own_id]
        return web.json_response(
            [{**self._state(phone, own_id), "id": own_id, "phone": phone} for phone, own_id in asked]
        )

    async def balance(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        currency = {"currency": "RUR"} if fields.get("cur") == "1" else {}
        return web.json_response({"balance": "337.03", **currency})

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        status, err = STATES[state]
        said = {
            "id": taken.reference,
            "phone": taken.phone.lstrip("+"),
            "status": str(status),
            "time": taken.at.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S"),
            "ts": str(int(taken.at.timestamp())),
            "err": str(err),
        }
        secret = "another" if self.shows(Fault.BAD_SIGNATURE) else SECRET
        signed = ":".join((said["id"], said["phone"], said["status"], secret)).encode()
        return _call(callback_url, {**said, "sha1": hashlib.sha1(signed).hexdigest()})

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call | None:
        return _call(
            callback_url, {"id": reference, "phone": phone.lstrip("+"), "mes": text, "to": "79037672215", "sms_id": "0"}
        )

    async def let_in(self, request: web.Request) -> dict[str, str] | web.Response:
        """The fields sent by somebody whose login and password are right, or the answer to anybody else."""
        fields = _fields(request.url.raw_query_string, (await request.read()).decode("ascii"))
        if self.shows(Fault.BLOCKED_HOST):
            return failure(4)
        self.count_login()
        if self.shows(Fault.BAD_CREDENTIALS) or (fields.get("login"), fields.get("psw")) != (LOGIN, PASSWORD):
            return failure(2)
        # In any other form than JSON the portal could read nothing, so that this is a fault of the portal's.
        return fields if fields.get("fmt") == "3" else failure(1)

    def _state(self, phone: str, own_id: str) -> dict[str, Any]:
        """That of the last message with this id to this phone."""
        found = [
            sms
            for sms in self.simulator.taken_by(f"+{phone.lstrip('+')}")
            if (sms.provider, sms.reference) == (self.name, own_id)
        ]
        if not found:
            return {"status": NOT_FOUND}
        status, err = STATES[found[-1].state]
        at = found[-1].at.astimezone(MOSCOW)
        return {
            "status": status,
            "last_date": f"{at:%d.%m.%Y %H:%M:%S}",
            "last_timestamp": int(at.timestamp()),
            "err": err,
        }


def failure(code: int) -> web.Response:
    """An error, as this API reports every one."""
    return web.json_response({"error": ERRORS[code], "error_code": code})


def _fields(*encoded: str) -> dict[str, str]:
    """In the charset that one of them names; in windows-1251 where none does."""
    given = "&".join(filter(None, encoded))
    charset = dict(parse_qsl(given, encoding="latin-1")).get("charset", "windows-1251")
    return dict(parse_qsl(given, keep_blank_values=True, encoding=charset, errors="strict"))


def _call(callback_url: str, said: Mapping[str, str]) -> Call:
    return Call("POST", callback_url, {"content-type": FORM}, urlencode(said).encode())
