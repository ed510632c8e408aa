"""Twilio: one form a message; states by question and by signed call.

Its documentation: https://www.twilio.com/docs/messaging/api/message-resource, its codes:
https://www.twilio.com/docs/api/errors, its signatures: https://www.twilio.com/docs/usage/security.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields, http
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, id_of, whole_of
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
from gateways.provider import BaseProvider, Paste
from gateways.signatures import signs_address_and_form

#: Twilio keeps a message in its queue for so many seconds at the most.
LONGEST_VALIDITY = 36_000
VALIDITY_EXPIRED = 30036
#: `partially_delivered` is no news: the rest may still arrive.
STATES = {
    **dict.fromkeys(("accepted", "queued", "sending", "sent", "partially_delivered"), ReceiptState.PENDING),
    **dict.fromkeys(("delivered", "read"), ReceiptState.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), ReceiptState.UNDELIVERED),
}

CONSOLE = "Look at the account in Twilio's console."
NO_LOGIN = partial(CredentialsRefused, "the provider does not know this SID and token", "Copy both from its console.")
INACTIVE = partial(GatewayFault, "the account is not active", CONSOLE, 3600.0)
LIMIT = partial(GatewayFault, "the account has reached its limit of messages", CONSOLE, 3600.0)
FORBIDDEN = partial(GatewayFault, "the provider does not serve this account at this address", CONSOLE, 300.0)
PHONE = partial(Refused, "the provider refuses the phone")
SENDER = partial(RefusedHere, "the provider refuses the sender")
ROUTE = partial(RefusedHere, "the account may not send to this phone, or not from this sender")
#: What is wrong, by `code`, else by status. Twilio adds codes at will.
TROUBLES: Mapping[int, Callable[[], NotAccepted]] = {
    **dict.fromkeys((401, 20003), NO_LOGIN),
    **dict.fromkeys((403, 404), FORBIDDEN),
    **dict.fromkeys((10001, 20005, 30002), INACTIVE),
    **dict.fromkeys((60728, 63038), LIMIT),
    **dict.fromkeys((14107, 21611, 30001, 63017), partial(RefusedForNow, "too many messages at once", 60.0)),
    21730: partial(RefusedForNow, "the provider is under maintenance", 60.0),
    **dict.fromkeys((21211, 21217, 21265, 21266, 21604, 21614, 21635), PHONE),
    21610: partial(Refused, "the guest has told this sender to stop"),
    **dict.fromkeys((14103, 21602, 21617, 21619, 21658), partial(Refused, "the text is empty or too long")),
    **dict.fromkeys((21212, 21601, 21603, 21606, 21659, 21660, 21701, 21703, 21705), SENDER),
    **dict.fromkeys((21408, 21608, 21612), ROUTE),
}


class Provider(BaseProvider):
    label = "Twilio"
    about = _("Twilio, for phones in most countries; the sender is a number bought there.")
    pastes = (Paste(_("At the number in its console, for “a message comes in”: what guests write.")),)
    hears_inbound = True
    secrets = ("password", "auth_token")
    way = auth.Basic()
    sends_receipts = can_query = can_tell_balance = True
    query_batch = 1

    class Config(forms.Form):
        url = fields.address("https://api.twilio.com")
        login = fields.login(help_text=_("The Account SID (AC…), or the SID of an API key (SK…)."))
        password = fields.password(help_text=_("The auth token, or the API key's secret."))
        account = forms.CharField(
            label=_("Account SID"), required=False, help_text=_("Only where an API key signs in.")
        )
        auth_token = forms.CharField(
            label=_("Auth token"),
            required=False,
            help_text=_("Only where an API key signs in: without it callbacks cannot be checked and are refused."),
        )
        messaging_service = forms.CharField(
            label=_("Messaging service"), required=False, help_text=_("Sends instead of the sender.")
        )
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        service = self.settings.get("messaging_service")
        if not service and not sms.sender:
            raise RefusedHere("the gateway has neither a sender nor a messaging service")
        seconds_left = int(sms.valid_until.timestamp() - time.time())
        form = {
            "To": sms.phone,
            "From": None if service else sms.sender,
            "MessagingServiceSid": service or None,
            "Body": sms.text,
            "StatusCallback": self.callback_url or None,
            "ValidityPeriod": min(max(seconds_left, 1), LONGEST_VALIDITY),
        }
        return http.post_form(self._address("Messages.json"), form)

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 201 and (sid := id_of(http.object_of(response).get("sid"))):
            return Accepted(sid)
        if 400 <= response.status < 500:
            code = code_in(response)
            if trouble := TROUBLES.get(code) or TROUBLES.get(response.status):
                raise trouble()
            if response.status == 429:
                raise RefusedForNow("too many messages at once", http.retry_after(response))
            if response.status == 400 and code:
                raise RefusedHere(f"the provider refuses the message{spelt(code)}")
        return super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return http.get(self._address(f"Messages/{quote(asked[0].reference, safe='')}.json"))

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        message = answer_in(response)
        return receipts_of(message.get("sid"), message.get("status"), message.get("error_code"))

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        self._check_signature(callback)
        told = callback.query if callback.method == "GET" else callback.form
        if "MessageStatus" in told:
            return [*receipts_of(told.get("MessageSid"), told["MessageStatus"], told.get("ErrorCode"))]
        if told.get("From") and "Body" in told:
            return [InboundSms(told["From"], told["Body"], told.get("MessageSid", ""))]
        return []

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        """A document without instructions; words would be sent to the guest as an answer."""
        return CallbackReply("<Response/>", content_type="text/xml; charset=utf-8")

    def balance(self) -> HttpRequest:
        return http.get(self._address("Balance.json"))

    def read_balance(self, response: HttpResponse) -> Balance:
        answer = answer_in(response)
        return Balance(http.amount_of(answer.get("balance")), id_of(answer.get("currency")))

    def _address(self, path: str) -> str:
        account = quote(self.settings.get("account") or self.settings["login"], safe="")
        return http.join(self.settings["url"], f"2010-04-01/Accounts/{account}/{path}")

    def _check_signature(self, callback: Callback) -> None:
        """Calls are signed with the auth token, even where an API key signs in."""
        token = self.settings.get("auth_token") or ("" if self.settings.get("account") else self.settings["password"])
        pairs = [] if callback.method == "GET" else callback.pairs
        given = callback.headers.get("x-twilio-signature", "")
        if not token or not signs_address_and_form(token, callback.url, pairs, given):
            raise BadCallback("the call is not signed by this account", 401)


def code_in(response: HttpResponse) -> int:
    """The error's code, 0 where none can be read."""
    try:
        return whole_of(http.object_of(response).get("code")) or 0
    except Unreadable:
        return 0


def answer_in(response: HttpResponse) -> dict[str, Any]:
    if response.status in {401, 403}:
        trouble = TROUBLES[response.status]
        raise trouble()
    if response.status != 200:
        raise Unreadable(f"the provider answered {response.status}")
    return http.object_of(response)


def receipts_of(sid: object, status: object, error: object) -> list[Receipt]:
    """The receipt, or none where the state is not known."""
    state, code = STATES.get(str(status)), whole_of(error)
    if state is None or not id_of(sid):
        return []
    if state is not ReceiptState.UNDELIVERED:
        return [Receipt(id_of(sid), state)]
    state = ReceiptState.EXPIRED if code == VALIDITY_EXPIRED else state
    return [Receipt(id_of(sid), state, detail=f"Twilio reports: {status}{spelt(code)}")]


def spelt(code: int | None) -> str:
    """A code behind a sentence; a longer number may be a phone."""
    return f" (code {code})" if code and 0 < code < 100_000 else ""
