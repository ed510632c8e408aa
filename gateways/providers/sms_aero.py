"""SMS Aero, its API of version 2.

Its documentation: https://smsaero.ru/description/api/; its own client: https://pypi.org/project/smsaero-api/
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields, http
from gateways.http import Callback, HttpRequest, HttpResponse, id_of, moment_of
from gateways.outcomes import (
    Accepted,
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

#: The sender that all accounts share.
SHARED_SENDER = "SMS Aero"
#: `extendStatus`, and `status` where the word is none of these.
STATES_IN_WORDS = {"queue": ReceiptState.PENDING, "delivery": ReceiptState.DELIVERED}
STATES = {
    "0": ReceiptState.PENDING,
    "1": ReceiptState.DELIVERED,
    "2": ReceiptState.UNDELIVERED,
    "3": ReceiptState.PENDING,
    "4": ReceiptState.PENDING,
    "6": ReceiptState.UNDELIVERED,
    "8": ReceiptState.PENDING,
}
DETAILS = {"3": "handed to the operator", "6": "refused", "8": "a person at the provider looks at it"}

NO_LOGIN = partial(
    CredentialsRefused,
    "the provider does not know this login or API key",
    "Correct them: the login is the account's e-mail, the key is in its settings.",
)
NO_MONEY = partial(GatewayFault, "no money is left on the account", "Top up the account at the provider.", 300.0)
REFUSED_SENDER = partial(RefusedHere, "the provider refuses the sender")
FORBIDDEN = partial(GatewayFault, "the provider forbids this to the account", "Ask the provider why.", 300.0)
#: What HTTP's own status says of the account.
STATUSES: Mapping[int, Callable[[], NotAccepted]] = {401: NO_LOGIN, 402: NO_MONEY, 403: FORBIDDEN}
#: Parts of what it says in words; the first that is found decides, for nothing else tells failures apart.
WORDS: Mapping[str, Callable[[], NotAccepted]] = {
    "authoriz": NO_LOGIN,
    "user or password": NO_LOGIN,
    "credential": NO_LOGIN,
    "credits": NO_MONEY,
    "money": NO_MONEY,
    "sender name": REFUSED_SENDER,
}


class Provider(BaseProvider):
    label = "SMS Aero"
    about = _("The SMS API of SMS Aero, version 2; the sender is a name allowed there.")
    secrets = ("api_key",)
    way = auth.Basic("login", "api_key")
    sends_receipts = can_query = can_tell_balance = True
    query_batch = 1

    class Config(forms.Form):
        url = fields.address(
            "https://gate.smsaero.ru/v2",
            help_text=_("In reserve: https://gate.smsaero.org/v2, https://gate.smsaero.net/v2."),
        )
        login = fields.login(help_text=_("The account's e-mail."))
        api_key = fields.api_key(help_text=_("From the settings of the cabinet, for API and SMPP."))
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        told = {"callbackUrl": self.callback_url} if self.callback_url else {}
        wanted = {"number": sms.phone.lstrip("+"), "text": sms.text, "sign": sms.sender or SHARED_SENDER}
        return self._ask("sms/send", {**wanted, **told})

    def read_submit(self, response: HttpResponse) -> Accepted:
        try:
            answer = http.object_of(response)
        except Unreadable:
            answer = {"success": False} if response.status in {*STATUSES, 429} else {}
        if answer.get("success") is True:
            reference = id_of(first_of(answer.get("data")).get("id"))
            return Accepted(reference) if reference else super().read_submit(response)
        if response.status == 429:
            raise RefusedForNow("too many messages at once", http.retry_after(response))
        if response.status >= 500 or not (failed(answer) or response.status in STATUSES):
            return super().read_submit(response)
        raise failure_of(response.status, answer)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        reference = asked[0].reference
        return self._ask("sms/status", {"id": int(reference) if reference.isdecimal() else reference})

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        found = first_of(answer_in(response).get("data"))
        if not id_of(found.get("id")):
            raise Unreadable("the answer tells no state")
        return [receipt_of(found)]

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        said: Mapping[str, Any] = {**callback.query, **callback.form}
        if callback.body.lstrip()[:1] == b"{":
            try:
                said = http.object_of(callback)
            except Unreadable as error:
                raise BadCallback("the callback cannot be read") from error
        return [receipt_of(said)] if id_of(said.get("id")) else []

    def balance(self) -> HttpRequest:
        return self._ask("balance")

    def read_balance(self, response: HttpResponse) -> Balance:
        return Balance(http.amount_of(first_of(answer_in(response).get("data")).get("balance")))

    def check(self) -> HttpRequest:
        return self._ask("auth")

    def read_check(self, response: HttpResponse) -> str:
        answer_in(response)
        return "the provider knows this login and API key"

    def _ask(self, path: str, arguments: Mapping[str, object] | None = None) -> HttpRequest:
        return http.post_json(http.join(self.settings["url"], path), arguments or {})


def first_of(found: object) -> dict[str, Any]:
    """What is said of the one message, which comes alone or as a list of one."""
    one = found[0] if isinstance(found, list) and found else found
    return one if isinstance(one, dict) else {}


def failed(answer: Mapping[str, Any]) -> bool:
    """Whether it says that it took nothing; `result` is how the first version of the API did."""
    return answer.get("success") is False or str(answer.get("result")) in {"reject", "no credits"}


def failure_of(status: int, answer: Mapping[str, Any]) -> NotAccepted:
    """What a failure means; nothing in its words is repeated."""
    said = " ".join(str(answer.get(name) or "") for name in ("result", "reason", "message")).lower()
    meaning = next((meaning for part, meaning in WORDS.items() if part in said), STATUSES.get(status))
    if meaning:
        return meaning()
    if "sign" in first_of(answer.get("data")):
        return REFUSED_SENDER()
    if "validation" in said or {"number", "text"} & set(first_of(answer.get("data"))):
        return Refused("the provider refuses the phone or the text")
    return RefusedHere("the provider refuses the message")


def answer_in(response: HttpResponse) -> dict[str, Any]:
    """The answer to anything but a submit."""
    if response.status in STATUSES:
        refusal = STATUSES[response.status]
        raise refusal()
    answer = http.object_of(response)
    if answer.get("success") is True:
        return answer
    error = failure_of(response.status, answer)
    raise error if isinstance(error, GatewayFault) else Unreadable("the provider does not answer the question")


def receipt_of(said: Mapping[str, Any]) -> Receipt:
    """What is said of one message."""
    number = str(said.get("status"))
    state = STATES_IN_WORDS.get(str(said.get("extendStatus"))) or STATES.get(number, ReceiptState.PENDING)
    if STATES.get(number) is ReceiptState.UNDELIVERED:
        # Where word and number contradict each other, nobody knows that it arrived.
        state = ReceiptState.UNDELIVERED
    return Receipt(id_of(said.get("id")), state, moment_of(said.get("dateAnswer")), DETAILS.get(number, ""))
