"""Kannel's smsbox: `sendsms` by POST with headers, delivery reports by `dlr-url`, inbound by a `get-url`."""

import time
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlencode

from aiohttp import web

from gateways.gsm7 import BASIC, EXTENDED
from gateways.outcomes import ReceiptState
from tests.simulators import server
from tests.simulators.server import Call, Fault, TakenSms

LOGIN, PASSWORD = "portal", "kannel p&ssword%"
STATES = {ReceiptState.DELIVERED: 1, ReceiptState.UNDELIVERED: 2, ReceiptState.PENDING: 8}
SEVEN_BITS = BASIC | EXTENDED


class Peer(server.Peer):
    """It gives no id, so a report names whatever stands in its `dlr-url`."""

    name: ClassVar[str] = "kannel"
    submit_paths: ClassVar[tuple[str, ...]] = ("/cgi-bin/sendsms",)
    applies: ClassVar[frozenset[Fault]] = server.Peer.applies | {Fault.BLOCKED_HOST}

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/cgi-bin/sendsms", self.sendsms)]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "login": LOGIN, "password": PASSWORD}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "wrong"}

    def too_many(self) -> web.Response:
        return answer(503, "Temporal failure, try again later.")

    def receipt_call(self, taken: TakenSms, state: ReceiptState, callback_url: str) -> Call | None:
        if state not in STATES or not taken.callback_url:
            return None
        return Call("GET", filled(taken.callback_url, {"d": str(STATES[state]), "T": str(int(time.time()))}))

    def inbound_call(self, phone: str, text: str, callback_url: str, reference: str) -> Call | None:
        charset = "UTF-8" if SEVEN_BITS.issuperset(text) else "UTF-16BE"
        told = {"phone": phone, "text": text.encode(charset), "charset": charset, "id": reference}
        return Call("GET", f"{callback_url}?{urlencode({**told, 'at': int(time.time())})}")

    async def sendsms(self, request: web.Request) -> web.Response:
        told = {name.lower(): value.strip() for name, value in request.headers.items()}
        if request.content_type != "text/plain":
            return answer(400, "Invalid content-type")
        who = (told.get("x-kannel-username"), told.get("x-kannel-password"))
        shut_out = self.shows(Fault.BAD_CREDENTIALS) or self.shows(Fault.BLOCKED_HOST)
        if who != (LOGIN, PASSWORD) or shut_out:
            return answer(403, "Authorization failed for sendsms")
        if "x-kannel-to" not in told:
            return answer(400, "Missing receiver(s) number(s), rejected")
        if not set(told["x-kannel-to"]) <= set("0123456789 +-"):
            return answer(400, "Number(s) has/have been denied by white- and/or black-lists.")
        if not told.get("x-kannel-from"):
            return answer(400, "Sender missing and no global set, rejected")
        return self.take(told, await request.text())

    def take(self, told: dict[str, str], text: str) -> web.Response:
        coding = told.get("x-kannel-coding", "0")
        if coding not in {"0", "2"}:
            return answer(400, "Coding field misformed, rejected")
        if int(told.get("x-kannel-validity", "1")) < 1:
            return answer(400, "Validity field misformed, rejected")
        if coding == "0":
            # What seven bits do not hold arrives as a question mark.
            text = "".join(character if character in SEVEN_BITS else "?" for character in text)
        mask = int(told.get("x-kannel-dlr-mask", "0"))
        # Whoever does not ask for both ends of a message would wait for one in vain.
        report_url = told.get("x-kannel-dlr-url", "") if mask & 1 and mask & 2 else ""
        self.simulator.take(
            self.name,
            told["x-kannel-to"],
            text,
            told["x-kannel-from"],
            reference=str(uuid.uuid4()),
            callback_url=report_url,
        )
        return answer(202, "0: Accepted for delivery")


def answer(status: int, text: str) -> web.Response:
    """As smsbox answers, and what it says is HTML by its own account only."""
    return web.Response(status=status, text=text, content_type="text/html", headers={"server": "Kannel/1.4.5"})


def filled(pattern: str, values: dict[str, str]) -> str:
    """A `dlr-url` with its escape codes replaced; those that are not known stay as they are."""
    pieces = pattern.split("%%")
    for code, value in values.items():
        pieces = [piece.replace(f"%{code}", quote_plus(value)) for piece in pieces]
    return "%".join(pieces)
