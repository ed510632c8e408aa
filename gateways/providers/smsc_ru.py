"""SMSC.ru; smsc.kz and smscentre.com are the same platform under other addresses.

Its documentation: https://smsc.ru/api/http/
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hmac import compare_digest
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import fields
from gateways.http import (
    Callback,
    HttpRequest,
    HttpResponse,
    amount_of,
    id_of,
    join,
    json_of,
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

#: Every answer comes with status 200; the presence of `error` tells a failure, and `error_code` which one.
ERRORS: Mapping[int, Callable[[], NotAccepted]] = {
    1: partial(Refused, "the provider finds an error in the parameters (code 1)"),
    2: partial(
        CredentialsRefused,
        "the provider does not know this login, password or key, or not from this host (code 2)",
        "Correct the login and the password, or the API key; see which IP addresses the account allows.",
    ),
    3: partial(GatewayFault, "no money is left on the account (code 3)", "Top up the account at the provider.", 300.0),
    4: partial(
        GatewayFault,
        "the provider has blocked this host for too many errors (code 4)",
        "Find what it refused before; the block ends by itself.",
        1800.0,
    ),
    5: partial(Refused, "the provider finds an error in a date (code 5)"),
    6: partial(RefusedHere, "the provider forbids this text or this sender (code 6)"),
    7: partial(Refused, "the provider refuses the phone (code 7)"),
    8: partial(RefusedHere, "the provider has no route to this phone (code 8)"),
    9: partial(RefusedForNow, "too many requests at once, or the same one twice in a minute (code 9)", 20.0),
}
#: What the same codes mean whatever is asked; the others mean something else when states are asked for.
ACCOUNT_ERRORS = {code: ERRORS[code] for code in (2, 4)}

NOT_FOUND = -3
#: The others are on their way, or nobody knows.
FINAL_STATES = {
    -2: (ReceiptState.UNDELIVERED, "sending was stopped"),
    1: (ReceiptState.DELIVERED, ""),
    2: (ReceiptState.DELIVERED, "read"),
    3: (ReceiptState.EXPIRED, ""),
    4: (ReceiptState.DELIVERED, "its link was followed"),
    20: (ReceiptState.UNDELIVERED, ""),
    22: (ReceiptState.UNDELIVERED, "wrong number"),
    23: (ReceiptState.UNDELIVERED, "forbidden"),
    24: (ReceiptState.UNDELIVERED, "no money was left"),
    25: (ReceiptState.UNDELIVERED, "no route to the number"),
}
#: `err` of a state: what went wrong on the way.
TROUBLES = {
    1: "no such subscriber",
    6: "the phone is off or out of reach",
    11: "the subscriber has no SMS",
    12: "an error in the phone",
    13: "the subscriber is blocked",
    200: "a virtual message: nothing was sent",
    219: "the SIM was replaced",
    220: "the operator's queue is full",
}


class Provider(BaseProvider):
    label = "SMSC.ru"
    secrets = ("password", "api_key", "callback_secret")
    # Its `id` is ours and need not be unique: a repeat is sent again, and a state is that of the last one.
    can_look_up = True
    #: Above the minute in which the same request is refused (code 9), so that only new ones are.
    settle_window = 90.0
    sends_receipts = can_query = can_tell_balance = True

    class Config(forms.Form):
        url = fields.address("https://smsc.ru")
        login = fields.login(required=False)
        password = fields.password(required=False)
        api_key = fields.api_key(required=False, help_text=_("Instead of the login and the password."))
        callback_secret = forms.CharField(
            label=_("Callback secret"),
            required=False,
            max_length=500,
            strip=False,
            help_text=_("If the account's settings at the provider have one: unsigned receipts are refused then."),
        )
        verify_tls = fields.verify_tls()

        def clean(self) -> None:
            given = self.cleaned_data
            if not given.get("api_key") and not (given.get("login") and given.get("password")):
                self.add_error("password" if given.get("login") else "login", _("Give login and password, or a key."))

    def submit(self, sms: OutboundSms) -> HttpRequest:
        minutes = sms.minutes_left(24 * 60)
        return self._ask(
            "send",
            phones=sms.phone.lstrip("+"),
            mes=sms.text,
            sender=sms.sender or None,
            id=sms.key,
            valid=f"{minutes // 60:02}:{minutes % 60:02}",
        )

    def read_submit(self, response: HttpResponse) -> Accepted:
        try:
            answer = object_of(response)
        except Unreadable:
            if response.status == 429:
                raise RefusedForNow("too many messages at once", retry_after(response)) from None
            raise
        if "error" in answer:
            _raise_error(answer, ERRORS)
            raise Ambiguous("the provider reports an error that is not documented")
        reference = id_of(answer.get("id"))
        return Accepted(reference) if reference else super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return self._ask_states([(sms.phone, sms.reference) for sms in asked])

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        return [_receipt(own_id, row, row.get("last_timestamp")) for own_id, row in _states(response).items()]

    def look_up(self, sought: Sequence[SentSms]) -> HttpRequest:
        return self._ask_states([(sms.phone, sms.key) for sms in sought])

    def read_look_up(self, response: HttpResponse) -> Mapping[str, Accepted | None]:
        return {
            key: None if _number(row["status"]) == NOT_FOUND else Accepted(key)
            for key, row in _states(response).items()
        }

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        said = {**callback.query, **callback.form}
        if said.get("id") and "status" in said:
            self._demand_signature(said)
            return [_receipt(said["id"], said, said.get("ts"))]
        if said.get("phone") and "mes" in said:
            return [InboundSms(said["phone"], said["mes"], said.get("id", ""), moment_of(said.get("ts")))]
        return []

    def balance(self) -> HttpRequest:
        return self._ask("balance", cur=1)

    def read_balance(self, response: HttpResponse) -> Balance:
        answer = _answer(response)
        if not isinstance(answer, dict):
            raise Unreadable("the answer tells no balance")
        return Balance(amount_of(answer.get("balance")), str(answer.get("currency") or ""))

    def _ask(self, what: str, **arguments: object) -> HttpRequest:
        if self.settings.get("api_key"):
            who = {"apikey": self.settings["api_key"]}
        else:
            who = {"login": self.settings["login"], "psw": self.settings["password"]}
        # Without a charset it takes the text for windows-1251.
        return post_form(
            join(self.settings["url"], f"sys/{what}.php"), {**who, "fmt": 3, "charset": "utf-8", **arguments}
        )

    def _ask_states(self, sought: Sequence[tuple[str, str]]) -> HttpRequest:
        """The comma at the end makes the answer a list that names its ids, even for one message."""
        phones = "".join(f"{phone.lstrip('+')}," for phone, _id in sought)
        return self._ask("status", phone=phones, id="".join(f"{own_id}," for _phone, own_id in sought))

    def _demand_signature(self, said: Mapping[str, str]) -> None:
        secret = self.settings.get("callback_secret")
        if not secret:
            return
        signed = f"{said['id']}:{said.get('phone', '')}:{said['status']}:{secret}".encode()
        given = {name: said[name].lower().encode() for name in ("sha1", "md5") if said.get(name)}
        if not given or any(
            not compare_digest(hashlib.new(name, signed).hexdigest().encode(), signature)
            for name, signature in given.items()
        ):
            raise BadCallback("the receipt is not signed with the callback secret", 401)


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _raise_error(answer: Mapping[str, Any], errors: Mapping[int, Callable[[], NotAccepted]]) -> None:
    meaning = errors.get(_number(answer.get("error_code")) or 0)
    if meaning:
        raise meaning()


def _answer(response: HttpResponse) -> Any:
    """The answer to anything but a submit."""
    answer = json_of(response)
    if isinstance(answer, dict) and "error" in answer:
        _raise_error(answer, ACCOUNT_ERRORS)
        raise Unreadable("the provider answers with an error")
    return answer


def _states(response: HttpResponse) -> dict[str, dict[str, Any]]:
    """By id; a state that does not say of which message it is tells nothing."""
    answer = _answer(response)
    rows = [row for row in (answer if isinstance(answer, list) else [answer]) if isinstance(row, dict)]
    found = {id_of(row.get("id")): row for row in rows if _number(row.get("status")) is not None}
    found.pop("", None)
    if not found:
        raise Unreadable("the answer tells no states")
    return found


def _receipt(reference: str, said: Mapping[str, Any], at: object) -> Receipt:
    state, words = FINAL_STATES.get(_number(said["status"]) or 0, (ReceiptState.PENDING, ""))
    trouble = _number(said.get("err")) or 0
    return Receipt(reference, state, moment_of(at), TROUBLES.get(trouble, f"error {trouble}") if trouble else words)
