"""SMS.ru, which answers twice: for the request, and for its one recipient.

Its documentation: https://sms.ru/api
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields, http
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, id_of, moment_of, whole_of
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
from gateways.provider import BaseProvider, Paste

CORRECT_KEY = "Correct the API key: it is the “api_id” in the account's settings."
RAISE_LIMIT = "Raise the limit in the account's settings, or wait for tomorrow."
#: The same codes at both levels, with status 200; 500 (an error on its server) and unknown ones leave all open.
ERRORS: Mapping[int | None, tuple[Any, ...]] = {
    200: (CredentialsRefused, "the provider does not know this API key", CORRECT_KEY),
    201: (GatewayFault, "no money is left on the account", "Top up the account at the provider.", 300),
    202: (Refused, "the provider refuses the phone"),
    203: (Refused, "the provider finds no text in the message"),
    204: (RefusedHere, "the sender is not approved for this operator"),
    205: (Refused, "the text is too long for the provider"),
    206: (GatewayFault, "the account's daily limit is used up", RAISE_LIMIT, 1800),
    207: (RefusedHere, "the provider has no route to this phone"),
    208: (Refused, "the provider refuses the time of sending"),
    209: (Refused, "the phone is on the account's stop list"),
    210: (Refused, "the provider wants another method"),
    211: (Refused, "the provider does not know the method"),
    212: (Refused, "the provider cannot read the text's charset"),
    214: (RefusedHere, "the account sends to Russian phones only"),
    215: (Refused, "the phone is on the provider's stop list"),
    216: (Refused, "the provider forbids a word in the text"),
    220: (RefusedForNow, "the provider is out of service for now", 30),
    230: (Refused, "too many messages to this phone today"),
    231: (RefusedForNow, "too many equal messages to this phone in a minute", 60),
    232: (Refused, "too many equal messages to this phone today"),
    233: (RefusedForNow, "too many codes to this phone in a short time", 60),
    300: (CredentialsRefused, "the provider refuses the token", CORRECT_KEY),
    301: (CredentialsRefused, "the provider does not know this API key", CORRECT_KEY),
    302: (CredentialsRefused, "the account is not confirmed", "Confirm the account at the provider."),
}
#: Errors of a question, which say nothing of the message.
OF_THE_REQUEST = {210, 211, 212, 220}
#: The others are on their way, or nobody knows.
FINAL_STATES: Mapping[int | None, tuple[ReceiptState, str]] = {
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
    about = _("The SMS API of SMS.ru; the sender is a name allowed there.")
    pastes = (Paste(_("In the account's settings, for callbacks: receipts come sooner than when asked for.")),)
    secrets = ("api_key",)
    way = auth.ApiKey("form", "api_id")
    sends_receipts = can_query = can_tell_balance = True
    query_batch = 100

    class Config(forms.Form):
        url = fields.address("https://sms.ru")
        api_key = fields.api_key(help_text=_("The account's “api_id”."))
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        what = {"to": sms.phone.lstrip("+"), "msg": sms.text, "from": sms.sender or None}
        return self._ask("sms/send", **what, ttl=sms.minutes_left(24 * 60))

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 429:
            raise RefusedForNow("too many messages at once", http.retry_after(response))
        answer = http.object_of(response)
        recipients = answer.get("sms")
        found = next(iter(recipients.values()), None) if isinstance(recipients, dict) else None
        one = found if isinstance(found, dict) else {}
        for level in (answer, one):
            if level.get("status") == "ERROR":
                raise error_of(level)
        reference = id_of(one.get("sms_id"))
        taken = reference and answer.get("status") == one.get("status") == "OK"
        return Accepted(reference) if taken else super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return self._ask("sms/status", sms_id=",".join(sms.reference for sms in asked))

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        found = answer_in(response).get("sms")
        if not isinstance(found, dict):
            raise Unreadable("the answer tells no states")
        return [receipt_of(sms_id, one.get("status_code")) for sms_id, one in found.items() if isinstance(one, dict)]

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        reports = [value for name, value in callback.pairs if name.partition("[")[0] == "data"]
        if not reports:
            return []
        signed = sha256((self.settings["api_key"] + "".join(reports)).encode()).hexdigest()
        if not compare_digest(signed.encode(), callback.form.get("hash", "").lower().encode()):
            raise BadCallback("the callback is not signed with this account's API key", 401)
        states = [lines for lines in (report.splitlines() for report in reports) if lines[:1] == ["sms_status"]]
        return [receipt_of(lines[1], lines[2], *lines[3:4]) for lines in states if len(lines) > 2]

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        """Without this word every call is made again for days."""
        return CallbackReply("100")

    def balance(self) -> HttpRequest:
        return self._ask("my/balance")

    def read_balance(self, response: HttpResponse) -> Balance:
        return Balance(http.amount_of(answer_in(response).get("balance")))

    def check(self) -> HttpRequest:
        return self._ask("auth/check")

    def read_check(self, response: HttpResponse) -> str:
        answer_in(response)
        return "the provider knows this API key"

    def _ask(self, path: str, **arguments: object) -> HttpRequest:
        return http.post_form(http.join(self.settings["url"], path), {**arguments, "json": 1})


def error_of(level: Mapping[str, Any]) -> NotAccepted:
    """What the error of the request or of its recipient means."""
    code = whole_of(level.get("status_code"))
    if code not in ERRORS:
        return Ambiguous("the provider reports an error that leaves open what became of the message")
    kind, words, *more = ERRORS[code]
    error: NotAccepted = kind(f"{words} (code {code})", *more)
    return error


def answer_in(response: HttpResponse) -> dict[str, Any]:
    """The answer to anything but a submit."""
    answer = http.object_of(response)
    if answer.get("status") == "OK":
        return answer
    error = error_of(answer)
    raise error if isinstance(error, GatewayFault) else Unreadable(error.reason)


def receipt_of(reference: str, code: object, at: object = None) -> Receipt:
    """What is said of one message."""
    number = whole_of(code)
    state, words = FINAL_STATES.get(number, (ReceiptState.PENDING, ""))
    if number is not None and 202 <= number < 300 and number not in OF_THE_REQUEST:
        state, words = ReceiptState.UNDELIVERED, f"refused (code {number})"
    return Receipt(reference, state, moment_of(at), words)
