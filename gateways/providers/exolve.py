"""MTS Exolve: one JSON call a message, with an application's key.

Its documentation: https://docs.exolve.ru/docs/ru/api-reference/sms-api/. It does not say what an error looks like, so
any shape is taken that its clients have met; nor which values a state of delivery has, so none is asked for.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields, http
from gateways.http import HttpRequest, HttpResponse, id_of, whole_of
from gateways.outcomes import (
    Accepted,
    Balance,
    CredentialsRefused,
    GatewayFault,
    OutboundSms,
    RefusedForNow,
    RefusedHere,
    Unreadable,
)
from gateways.provider import BaseProvider


class Provider(BaseProvider):
    label = "MTS Exolve"
    about = _("The SMS API of MTS Exolve; the sender is a number bought there.")
    secrets = ("api_key",)
    way = auth.Bearer()
    can_tell_balance = True

    class Config(forms.Form):
        url = fields.address("https://api.exolve.ru")
        api_key = fields.api_key(help_text=_("Of an application in the cabinet of Exolve."))
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        if not sms.sender:
            raise RefusedHere("the gateway has no sender, and Exolve wants one")
        message = {"number": sms.sender.lstrip("+"), "destination": sms.phone.lstrip("+"), "text": sms.text}
        return http.post_json(http.join(self.settings["url"], "messaging/v1/SendSMS"), message)

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 429:
            raise RefusedForNow("too many messages at once", http.retry_after(response))
        raise_for_key(response)
        answer = http.object_of(response)
        reference, error = id_of(answer.get("message_id")), error_in(answer, response.status)
        if response.status == 200 and reference and error is None:
            return Accepted(reference)
        if (response.status == 200 or 400 <= response.status < 500) and error is not None and not reference:
            # Codes are not published: whether the phone or this account is at fault, nobody can tell.
            raise RefusedHere(f"the provider refuses the message{error}")
        return super().read_submit(response)

    def balance(self) -> HttpRequest:
        return http.post_json(http.join(self.settings["url"], "finance/v1/GetBalance"), {})

    def read_balance(self, response: HttpResponse) -> Balance:
        raise_for_key(response)
        if response.status != 200:
            raise Unreadable(f"asked for the balance, the provider answered {response.status}")
        return Balance(http.amount_of(http.object_of(response).get("balance")))


def raise_for_key(response: HttpResponse) -> None:
    """Raises what a status alone says of the key."""
    if response.status == 401:
        raise CredentialsRefused("the provider does not know this API key", "Copy the application's key anew.")
    if response.status == 403:
        raise GatewayFault(
            "the provider forbids this to the application", "Look at the application's rights and senders.", 300.0
        )


def error_in(answer: dict[str, Any], status: int) -> str | None:
    """An error's code, ready to stand behind a sentence; empty for one without a code; None where there is no error.

    It comes as `{"error": {"code", "message"}}`, `{"error": "…"}` or, with an error's status, `{"code", "message"}`.
    """
    error = answer.get("error") or (answer if status >= 400 and isinstance(answer.get("message"), str) else None)
    if not error or not isinstance(error, dict | str):
        return None
    code = whole_of(error.get("code")) if isinstance(error, dict) else None
    # A longer number may be the phone.
    return f" (code {code})" if code and 0 < code < 100_000 else ""
