"""SMS.ru, which answers twice: for the request, and for its one recipient.

Its documentation: https://sms.ru/api
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields
from gateways.http import (
    Callback,
    CallbackReply,
    HttpRequest,
    HttpResponse,
    amount_of,
    id_of,
    join,
    moment_of,
    object_of,
    post_form,
    retry_after,
)
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    BadCallback,
    Balance,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
    NotAccepted,
    OutboundSms,
    Receipt,
    ReceiptState,
    Refused,
    RefusedForNow,
    RefusedHere,
    SentSms,
    Unreadable,
)
from gateways.provider import BaseProvider

NO_KEY = partial(CredentialsRefused, remedy="Correct the API key: it is the `api_id` in the account's settings.")
#: The same codes at both levels, with status 200; 500 (“error on the server”) and unknown ones leave all open.
ERRORS: Mapping[int, Callable[[], NotAccepted]] = {
    200: partial(NO_KEY, "the provider does not know this API key (code 200)"),
    201: partial(
        GatewayFault, "no money is left on the account (code 201)", "Top up the account at the provider.", 300.0
    ),
    202: partial(Refused, "the provider refuses the phone (code 202)"),
    203: partial(Refused, "the provider finds no text in the message (code 203)"),
    204: partial(RefusedHere, "the sender is not approved for this operator (code 204)"),
    205: partial(Refused, "the text is too long for the provider (code 205)"),
    206: partial(
        GatewayFault,
        "the account's daily limit is used up (code 206)",
        "Raise the limit in the account's settings, or wait for tomorrow.",
        1800.0,
    ),
    207: partial(RefusedHere, "the provider has no route to this phone (code 207)"),
    208: partial(Refused, "the provider refuses the time of sending (code 208)"),
    209: partial(Refused, "the phone is on the account's stop list (code 209)"),
    210: partial(Refused, "the provider wants another method (code 210)"),
    211: partial(Refused, "the provider does not know the method (code 211)"),
    212: partial(Refused, "the provider cannot read the text's charset (code 212)"),
    214: partial(RefusedHere, "the account sends to Russian phones only (code 214)"),
    215: partial(Refused, "the phone is on the provider's stop list (code 215)"),
    216: partial(Refused, "the provider forbids a word in the text (code 216)"),
    220: partial(RefusedForNow, "the provider is out of service for now (code 220)", 30.0),
    230: partial(Refused, "too many messages to this phone today (code 230)"),
    231: partial(RefusedForNow, "too many equal messages to this phone in a minute (code 231)", 60.0),
    232: partial(Refused, "too many equal messages to this phone today (code 232)"),
    233: partial(RefusedForNow, "too many codes to this phone in a short time (code 233)", 60.0),
    300: partial(NO_KEY, "the provider refuses the token (code 300)"),
    301: partial(NO_KEY, "the provider does not know this API key (code 301)"),
    302: partial(CredentialsRefused, "the account is not confirmed (code 302)", "Confirm the account at the provider."),
}
#: The others are on their way, or nobody knows.
FINAL_STATES = {
    103: (ReceiptState.DELIVERED, ""),
    104: (ReceiptState.EXPIRED, ""),
    105: (ReceiptState.UNDELIVERED, "deleted by the operator"),
    106: (ReceiptState.UNDELIVERED, "an error in the phone"),
    107: (ReceiptState.UNDELIVERED, "the reason is not known"),
    108: (ReceiptState.UNDELIVERED, "refused"),
    110: (ReceiptState.DELIVERED, "read"),
    150: (ReceiptState.UNDELIVERED, "no route to the number"),
}


class Provider(BaseProvider):
    label = "SMS.ru"
    secrets = ("api_key",)
    way = auth.ApiKey("form", "api_id")
    sends_receipts = can_query = can_tell_balance = True
    query_batch = 100

    class Config(forms.Form):
        url = fields.address("https://sms.ru")
        api_key = fields.api_key(help_text=_("The account's “api_id”."))
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        return self._ask(
            "sms/send",
            {
                "to": sms.phone.lstrip("+"),
                "msg": sms.text,
                "from": sms.sender or None,
                "ttl": sms.minutes_left(24 * 60),
            },
        )

    def read_submit(self, response: HttpResponse) -> Accepted:
        try:
            answer = object_of(response)
        except Unreadable:
            if response.status == 429:
                raise RefusedForNow("too many messages at once", retry_after(response)) from None
            raise
        recipients = answer.get("sms")
        found = next(iter(recipients.values()), None) if isinstance(recipients, dict) else None
        one = found if isinstance(found, dict) else {}
        for level in (answer, one):
            if level.get("status") == "ERROR":
                raise _error(level)
        reference = id_of(one.get("sms_id"))
        taken = reference and answer.get("status") == one.get("status") == "OK"
        return Accepted(reference) if taken else super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return self._ask("sms/status", {"sms_id": ",".join(sms.reference for sms in asked)})

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        found = _answer(response).get("sms")
        if not isinstance(found, dict):
            raise Unreadable("the answer tells no states")
        return [_receipt(sms_id, one.get("status_code")) for sms_id, one in found.items() if isinstance(one, dict)]

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        reports = [value for name, value in callback.pairs if name.partition("[")[0] == "data"]
        if not reports:
            return []
        signed = sha256((self.settings["api_key"] + "".join(reports)).encode()).hexdigest()
        if not compare_digest(signed.encode(), callback.form.get("hash", "").lower().encode()):
            raise BadCallback("the callback is not signed with this account's API key", 401)
        states = [lines for lines in (report.splitlines() for report in reports) if lines[:1] == ["sms_status"]]
        return [_receipt(lines[1], lines[2], *lines[3:4]) for lines in states if len(lines) > 2]

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        """Without this word every call is made again for days."""
        return CallbackReply("100")

    def balance(self) -> HttpRequest:
        return self._ask("my/balance")

    def read_balance(self, response: HttpResponse) -> Balance:
        return Balance(amount_of(_answer(response).get("balance")))

    def check(self) -> HttpRequest:
        return self._ask("auth/check")

    def read_check(self, response: HttpResponse) -> str:
        _answer(response)
        return "the provider knows this API key"

    def _ask(self, path: str, arguments: Mapping[str, object] | None = None) -> HttpRequest:
        return post_form(join(self.settings["url"], path), {**(arguments or {}), "json": 1})


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def _error(level: Mapping[str, Any]) -> NotAccepted:
    meaning = ERRORS.get(_number(level.get("status_code")))
    return meaning() if meaning else Ambiguous("the provider reports an error that leaves open what became of it")


def _answer(response: HttpResponse) -> dict[str, Any]:
    """The answer to anything but a submit."""
    answer = object_of(response)
    if answer.get("status") == "OK":
        return answer
    error = _error(answer)
    raise error if isinstance(error, GatewayFault) else Unreadable(error.reason)


def _receipt(reference: str, code: object, at: object = None) -> Receipt:
    state, words = FINAL_STATES.get(_number(code), (ReceiptState.PENDING, ""))
    return Receipt(reference, state, moment_of(at), words)
