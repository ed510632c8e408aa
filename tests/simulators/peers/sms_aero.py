"""SMS Aero, version 2: JSON or a form, Basic with the login and an API key; it knows no repeats."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateways.http import FORM
from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

LOGIN, API_KEY = "portal@example.org", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
#: `status` and `extendStatus`.
STATES = {
    ReceiptState.PENDING: (3, "send"),
    ReceiptState.DELIVERED: (1, "delivery"),
    ReceiptState.UNDELIVERED: (2, "failed"),
    ReceiptState.EXPIRED: (2, "failed"),
    ReceiptState.UNCONFIRMED: (4, "wait"),
}


class Peer(server.Peer):
    name: ClassVar[str] = "sms_aero"
    submit_paths: ClassVar[tuple[str, ...]] = ("/v2/sms/send",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {Fault.ERROR_IN_200, Fault.DUPLICATE_CALLBACK}

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.route(method, f"/v2/{path}", handler)
            for method in ("GET", "POST")
            for path, handler in (
                ("sms/send", self.send),
                ("sms/status", self.status),
                ("balance", self.balance),
                ("auth", self.check),
            )
        ]

    def settings(self) -> dict[str, Any]:
        return {"url": f"{self.simulator.url_of(self.name)}/v2", "login": LOGIN, "api_key": API_KEY}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "api_key": "0" * 32}

    async def send(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        number, text = str(fields.get("number", "")), fields.get("text", "")
        if self.shows(Fault.ERROR_IN_200):
            return failure("Validation error.", 200, {"number": ["Неверный номер"]})
        if not (number.isascii() and number.isdigit() and 11 <= len(number) <= 15):
            return failure("Validation error.", 400, {"number": ["Неверный номер"]})
        if not text or not fields.get("sign"):
            return failure("Validation error.", 400, {"text" if not text else "sign": ["Пусто"]})
        taken = self.simulator.take(
            self.name, number, text, fields["sign"], callback_url=str(fields.get("callbackUrl", ""))
        )
        return success(_described(taken, 0, "queue"))

    async def status(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        sms = self.simulator.get(self.name, str(fields.get("id", "")))
        if sms is None:
            return failure("Validation error.", 400, {"id": ["Не найдено"]})
        return success({**_described(sms, *STATES[sms.state]), "dateAnswer": int(sms.at.timestamp())})

    async def balance(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        return fields if isinstance(fields, web.Response) else success({"balance": 337.03})

    async def check(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        return fields if isinstance(fields, web.Response) else success(None, "Successful authorization.")

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        status, word = STATES[state]
        said = {"id": taken.reference, "status": status, "extendStatus": word}
        return Call("POST", callback_url, {"content-type": FORM}, urlencode(said).encode())

    async def let_in(self, request: web.Request) -> dict[str, Any] | web.Response:
        """The fields sent by somebody whose login and key are right, or the answer to anybody else."""
        self.count_login()
        wanted = f"Basic {b64encode(f'{LOGIN}:{API_KEY}'.encode()).decode()}"
        if self.shows(Fault.BAD_CREDENTIALS) or request.headers.get("authorization") != wanted:
            return failure("Your request was made with invalid credentials.", 401)
        if request.content_type == "application/json":
            found = await request.json()
            return found if isinstance(found, dict) else failure("Validation error.", 400)
        body = (await request.read()).decode("ascii")
        return dict(parse_qsl(body or request.url.raw_query_string, keep_blank_values=True, errors="strict"))


def success(found: object, message: str | None = None) -> web.Response:
    """An answer to a question that was understood."""
    return web.json_response({"success": True, "data": found, "message": message})


def failure(message: str, status: int, found: object = None) -> web.Response:
    """An answer to any other."""
    return web.json_response({"success": False, "data": found, "message": message}, status=status)


def _described(sms: TakenSms, status: int, word: str) -> dict[str, Any]:
    moment = int(sms.at.timestamp())
    return {
        "id": int(sms.reference),
        "from": sms.sender,
        "number": sms.phone.lstrip("+"),
        "text": sms.text,
        "status": status,
        "extendStatus": word,
        "channel": "FREE SIGN",
        "cost": 5.49,
        "dateCreate": moment,
        "dateSend": moment,
    }
