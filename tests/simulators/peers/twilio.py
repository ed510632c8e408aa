"""Twilio: Basic, forms, states by question and by signed calls."""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "t&ken of <the> account"
MESSAGES = "/2010-04-01/Accounts/{account}/Messages.json"
FORM = "application/x-www-form-urlencoded"
LONGEST_TEXT = 1600

#: The status of a message, and its error.
STATUSES: Mapping[ReceiptState, tuple[str, int | None]] = {
    ReceiptState.PENDING: ("sent", None),
    ReceiptState.DELIVERED: ("delivered", None),
    ReceiptState.UNDELIVERED: ("undelivered", 30003),
    ReceiptState.EXPIRED: ("failed", 30036),
    ReceiptState.UNCONFIRMED: ("sent", None),
}


class Peer(server.Peer):
    name: ClassVar[str] = "twilio"
    submit_paths: ClassVar[tuple[str, ...]] = (MESSAGES,)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {Fault.DUPLICATE_CALLBACK, Fault.BAD_SIGNATURE}

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post(MESSAGES, self.send),
            web.get("/2010-04-01/Accounts/{account}/Messages/{sid}.json", self.state),
            web.get("/2010-04-01/Accounts/{account}/Balance.json", self.balance),
        ]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "login": ACCOUNT, "password": TOKEN}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    def too_many(self) -> web.Response:
        return error(429, 20429, "Too Many Requests", {"retry-after": "2"})

    async def send(self, request: web.Request) -> web.Response:
        if not self._is_let_in(request):
            return error(401, 20003, "Authenticate")
        is_form = request.content_type == FORM
        form = dict(parse_qsl(await request.text(), keep_blank_values=True)) if is_form else {}
        if wrong := _wrong_with(form):
            return error(400, *wrong)
        taken = self.simulator.take(
            self.name,
            form["To"],
            form["Body"],
            sender=form.get("MessagingServiceSid") or form["From"],
            reference=f"SM{len(self.simulator.taken) + 1:032x}",
            callback_url=form.get("StatusCallback", ""),
        )
        return web.json_response(_resource(taken, "queued", None), status=201)

    async def state(self, request: web.Request) -> web.Response:
        if not self._is_let_in(request):
            return error(401, 20003, "Authenticate")
        taken = self.simulator.get(self.name, request.match_info["sid"])
        if taken is None:
            return error(404, 20404, f"The requested resource {request.path} was not found")
        return web.json_response(_resource(taken, *STATUSES[taken.state]))

    async def balance(self, request: web.Request) -> web.Response:
        if not self._is_let_in(request):
            return error(401, 20003, "Authenticate")
        return web.json_response({"account_sid": ACCOUNT, "balance": "12.5000", "currency": "USD"})

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call:
        status, code = STATUSES[state]
        fields = {"MessageSid": taken.reference, "MessageStatus": status, "To": taken.phone, "From": taken.sender}
        return self._call(callback_url, {**fields, "ErrorCode": str(code)} if code else fields)

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call:
        fields = {"MessageSid": reference, "SmsStatus": "received", "From": phone, "Body": text, "NumMedia": "0"}
        return self._call(callback_url, fields)

    def _call(self, url: str, told: Mapping[str, str]) -> Call:
        """Signed: the address, then every field and its value in the order of their names."""
        fields = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", **told}
        signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        token = "somebody else's" if self.shows(Fault.BAD_SIGNATURE) else TOKEN
        signature = b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
        headers = {"content-type": f"{FORM}; charset=UTF-8", "x-twilio-signature": signature}
        return Call("POST", url, headers, urlencode(fields).encode())

    def _is_let_in(self, request: web.Request) -> bool:
        right = f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"
        is_right = (request.headers.get("authorization"), request.match_info["account"]) == (right, ACCOUNT)
        return is_right and not self.shows(Fault.BAD_CREDENTIALS)


def _wrong_with(form: Mapping[str, str]) -> tuple[int, str] | None:
    """The code and the words for what a message lacks."""
    phone, text, validity = form.get("To", ""), form.get("Body", ""), form.get("ValidityPeriod", "1")
    if not phone.startswith("+") or not phone[1:].isdigit():
        return 21211, f"The 'To' number {phone} is not a valid phone number."
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603, "A 'From' phone number is required."
    if not text:
        return 21602, "Message body is required."
    if len(text) > LONGEST_TEXT:
        return 21617, "The concatenated message body exceeds the 1600 character limit."
    if not validity.isdigit() or not 1 <= int(validity) <= 36_000:
        return 90007, "Invalid validity period value"
    return None


def _resource(taken: TakenSms, status: str, code: int | None) -> dict[str, Any]:
    return {
        "account_sid": ACCOUNT,
        "body": taken.text,
        "date_created": format_datetime(taken.at),
        "date_updated": format_datetime(taken.at),
        "direction": "outbound-api",
        "error_code": code,
        "error_message": None,
        "from": taken.sender,
        "num_segments": str(taken.billed),
        "price": None,
        "sid": taken.reference,
        "status": status,
        "to": taken.phone,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{taken.reference}.json",
    }


def error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return web.json_response(body, status=status, headers=headers)
