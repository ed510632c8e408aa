"""SMSC.ru; smsc.kz and smscentre.com are the same platform under other addresses.

Its documentation: https://smsc.ru/api/http/
"""

import hashlib
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import fields, http
from gateways.http import Callback, HttpRequest, HttpResponse, id_of, moment_of, whole_of
from gateways.outcomes import (
    Accepted,
    BadCallback,
    Balance,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
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

WHO = "Correct the login and the password, or the API key; see which IP addresses the account allows."
WAIT = "Find what it refused before; when the block has ended, check the connection."
#: Every answer comes with status 200; the presence of `error` tells a failure, and `error_code` which one.
ERRORS: Mapping[int | None, tuple[Any, ...]] = {
    1: (Refused, "the provider finds an error in the parameters"),
    2: (CredentialsRefused, "the provider does not know this login, password or key, or not from this host", WHO),
    3: (GatewayFault, "no money is left on the account", "Top up the account at the provider.", 300),
    4: (CredentialsRefused, "the provider has blocked this host for too many errors", WAIT),
    5: (Refused, "the provider finds an error in a date"),
    6: (RefusedHere, "the provider forbids this text or this sender"),
    7: (Refused, "the provider refuses the phone"),
    8: (RefusedHere, "the provider has no route to this phone"),
    9: (RefusedForNow, "too many requests at once, or the same one twice in a minute", 20),
}
#: Those that mean the same whatever is asked.
ACCOUNT_ERRORS: Mapping[int | None, tuple[Any, ...]] = {code: ERRORS[code] for code in (2, 4)}

NOT_FOUND = -3
#: A trial of the account: nothing was sent.
VIRTUAL = 200
#: The others are on their way, or nobody knows.
FINAL_STATES: Mapping[int | None, tuple[ReceiptState, str]] = {
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
    about = _("SMSC.ru, smsc.kz or smscentre.com; can be asked what became of a lost answer.")
    pastes = (
        Paste(_("In the account's settings, at the call of states (“callback”): for receipts.")),
        Paste(_("In the account's settings, at the call of incoming messages: for what guests write.")),
    )
    secrets = ("password", "api_key", "webhook_secret")
    # Its `id` is ours and need not be unique: a repeat is sent again, and a state is that of the last one.
    can_look_up = True
    #: Above the minute in which the same request is refused (code 9).
    settle_window = 90.0
    sends_receipts = can_query = can_tell_balance = hears_inbound = True

    class Config(forms.Form):
        url = fields.address("https://smsc.ru")
        login = fields.login(required=False, help_text=_("Of the account; not needed with an API key."))
        password = fields.password(required=False, help_text=_("Of the account; not needed with an API key."))
        api_key = fields.api_key(required=False, help_text=_("Instead of the login and the password."))
        webhook_secret = fields.webhook_secret(required=False)
        verify_tls = fields.verify_tls()

        def clean(self) -> None:
            given = self.cleaned_data
            if not given.get("api_key") and not (given.get("login") and given.get("password")):
                self.add_error("password" if given.get("login") else "login", _("Give login and password, or a key."))

    def submit(self, sms: OutboundSms) -> HttpRequest:
        hours, minutes = divmod(sms.minutes_left(24 * 60), 60)
        what = {"phones": sms.phone.lstrip("+"), "mes": sms.text, "sender": sms.sender or None}
        return self._ask("send", **what, id=sms.key, valid=f"{hours:02}:{minutes:02}")

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 429:
            raise RefusedForNow("too many messages at once", http.retry_after(response))
        answer = http.object_of(response)
        raise_error(answer, ERRORS)
        reference = id_of(answer.get("id"))
        return Accepted(reference) if reference and "error" not in answer else super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return self._ask_states([(sms.phone, sms.reference) for sms in asked])

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        return [receipt_of(own_id, row, row.get("last_timestamp")) for own_id, row in states_in(response).items()]

    def look_up(self, sought: Sequence[SentSms]) -> HttpRequest:
        return self._ask_states([(sms.phone, sms.key) for sms in sought])

    def read_look_up(self, response: HttpResponse) -> Mapping[str, Accepted | None]:
        rows = states_in(response).items()
        return {key: None if whole_of(row["status"]) == NOT_FOUND else Accepted(key) for key, row in rows}

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        said = {**callback.query, **callback.form}
        if said.get("id") and "status" in said:
            self._demand_signature(said)
            return [receipt_of(said["id"], said, said.get("ts"))]
        if said.get("phone") and "mes" in said:
            return [InboundSms(said["phone"], said["mes"], said.get("id", ""), moment_of(said.get("ts")))]
        return []

    def balance(self) -> HttpRequest:
        return self._ask("balance", cur=1)

    def read_balance(self, response: HttpResponse) -> Balance:
        answer = http.object_of(response)
        raise_error(answer, ACCOUNT_ERRORS)
        return Balance(http.amount_of(answer.get("balance")), id_of(answer.get("currency")))

    def _ask(self, what: str, **arguments: object) -> HttpRequest:
        key, login, password = (self.settings.get(name) for name in ("api_key", "login", "password"))
        who = {"apikey": key} if key else {"login": login, "psw": password}
        # Without a charset it takes the text for windows-1251.
        form = {**who, "fmt": 3, "charset": "utf-8", **arguments}
        return http.post_form(http.join(self.settings["url"], f"sys/{what}.php"), form)

    def _ask_states(self, sought: Sequence[tuple[str, str]]) -> HttpRequest:
        """The comma at the end makes the answer a list that names its ids, even for one message."""
        phones = "".join(f"{phone.lstrip('+')}," for phone, _id in sought)
        return self._ask("status", phone=phones, id="".join(f"{own_id}," for _phone, own_id in sought))

    def _demand_signature(self, said: Mapping[str, str]) -> None:
        secret = self.settings.get("webhook_secret")
        signed = f"{said['id']}:{said.get('phone', '')}:{said['status']}:{secret}".encode()
        given = [(said[name], hashlib.new(name, signed).hexdigest()) for name in ("sha1", "md5") if said.get(name)]
        right = [compare_digest(found.lower().encode(), wanted.encode()) for found, wanted in given]
        if secret and not (right and all(right)):
            raise BadCallback("the receipt is not signed with the webhook secret", 401)


def raise_error(answer: Mapping[str, Any], errors: Mapping[int | None, tuple[Any, ...]]) -> None:
    """Raises what an error of this answer means, where it is one of these."""
    code = whole_of(answer.get("error_code"))
    if code in errors:
        kind, words, *more = errors[code]
        raise kind(f"{words} (code {code})", *more)


def states_in(response: HttpResponse) -> dict[str, dict[str, Any]]:
    """By id; a state that does not say of which message it is tells nothing."""
    answer = http.json_of(response)
    rows = [row for row in (answer if isinstance(answer, list) else [answer]) if isinstance(row, dict)]
    for row in rows:
        raise_error(row, ACCOUNT_ERRORS)
    found = {id_of(row.get("id")): row for row in rows if whole_of(row.get("status")) is not None}
    found.pop("", None)
    if not found:
        raise Unreadable("the answer tells no states")
    return found


def receipt_of(reference: str, said: Mapping[str, Any], at: object) -> Receipt:
    """What is said of one message."""
    state, words = FINAL_STATES.get(whole_of(said["status"]), (ReceiptState.PENDING, ""))
    trouble = whole_of(said.get("err")) or 0
    state = ReceiptState.UNDELIVERED if trouble == VIRTUAL else state
    words = TROUBLES.get(trouble, f"error {trouble}") if 0 < trouble < 256 else words
    return Receipt(reference, state, moment_of(at), words)
