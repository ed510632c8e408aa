"""SMS.ru: JSON of two levels, HTTP 200 whatever happens; it knows no repeats."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateways.http import FORM
from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

API_ID = "12345678-ABCD-EF01-2345-6789ABCDEF01"
STATES = {
    ReceiptState.PENDING: 102,
    ReceiptState.DELIVERED: 103,
    ReceiptState.UNDELIVERED: 105,
    ReceiptState.EXPIRED: 104,
    ReceiptState.UNCONFIRMED: 102,
}
NOT_FOUND = -1
MOST = 100
ERRORS = {
    200: "Неправильный api_id",
    202: "Неправильно указан номер телефона получателя, либо на него нет маршрута",
    203: "Нет текста сообщения",
    207: "На этот номер нет маршрута для доставки сообщений",
    210: "Используется GET, где необходимо использовать POST",
    220: "Сервис временно недоступен, попробуйте чуть позже",
}


class Peer(server.Peer):
    name: ClassVar[str] = "sms_ru"
    submit_paths: ClassVar[tuple[str, ...]] = ("/sms/send",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {
        Fault.ERROR_IN_200,
        Fault.DUPLICATE_CALLBACK,
        Fault.BAD_SIGNATURE,
    }

    def __init__(self, simulator: server.Simulator) -> None:
        super().__init__(simulator)
        self._numbers = count(1_000_000)

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.route(method, path, handler)
            for method in ("GET", "POST")
            for path, handler in (
                ("/sms/send", self.send),
                ("/sms/status", self.status),
                ("/my/balance", self.balance),
                ("/auth/check", self.check),
            )
        ]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "api_key": API_ID}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "api_key": "00000000-0000-0000-0000-000000000000"}

    def too_many(self) -> web.Response:
        return answer(error(220))

    async def send(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        phone, text = fields.get("to", ""), fields.get("msg", "")
        if not text:
            return answer(error(203))
        # The request is well, its one recipient is not: the outer level says OK.
        if self.shows(Fault.ERROR_IN_200) or not (phone.isascii() and phone.isdigit() and 11 <= len(phone) <= 15):
            return answer(good(sms={phone: error(202)}, balance=4122.56))
        reference = f"202647-{next(self._numbers)}"
        taken = self.simulator.take(self.name, phone, text, fields.get("from", ""), reference=reference)
        return answer(good(sms={phone: good(sms_id=taken.reference)}, balance=4122.56))

    async def status(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        if isinstance(fields, web.Response):
            return fields
        asked = fields.get("sms_id", "").split(",")
        if len(asked) > MOST:
            return answer(error(207))
        return answer(good(sms={sms_id: self._state(sms_id) for sms_id in asked}, balance=4122.56))

    async def balance(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        return fields if isinstance(fields, web.Response) else answer(good(balance=4122.56))

    async def check(self, request: web.Request) -> web.Response:
        fields = await self.let_in(request)
        return fields if isinstance(fields, web.Response) else answer(good())

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        reports = [f"sms_status\n{taken.reference}\n{STATES[state]}\n{int(datetime.now(UTC).timestamp())}"]
        key = "another" if self.shows(Fault.BAD_SIGNATURE) else API_ID
        said = {f"data[{place}]": report for place, report in enumerate(reports)}
        said["hash"] = sha256((key + "".join(reports)).encode()).hexdigest()
        return Call("POST", callback_url, {"content-type": FORM}, urlencode(said).encode())

    async def let_in(self, request: web.Request) -> dict[str, str] | web.Response:
        """The fields sent by somebody whose key is right, or the answer to anybody else."""
        body = (await request.read()).decode("ascii")
        given = "&".join(filter(None, (request.url.raw_query_string, body)))
        fields = dict(parse_qsl(given, keep_blank_values=True, errors="strict"))
        self.count_login()
        if self.shows(Fault.BAD_CREDENTIALS) or fields.get("api_id") != API_ID:
            return answer(error(200))
        # Without it the answer would be lines of text, in which the portal could read nothing.
        return fields if fields.get("json") == "1" else web.Response(text="210")

    def _state(self, sms_id: str) -> dict[str, Any]:
        sms = self.simulator.get(self.name, sms_id)
        code = STATES[sms.state] if sms else NOT_FOUND
        return {"status": "OK" if sms else "ERROR", "status_code": code, "cost": "0.50", "status_text": "…"}


def good(**more: object) -> dict[str, Any]:
    """One level of an answer, where all is well."""
    return {"status": "OK", "status_code": 100, **more}


def error(code: int) -> dict[str, Any]:
    """One level of an answer, where something is not."""
    return {"status": "ERROR", "status_code": code, "status_text": ERRORS[code]}


def answer(said: Mapping[str, Any]) -> web.Response:
    """The whole answer."""
    return web.json_response(said)
