"""Another AxelNAC, or another of these portals, as a gateway: https://docs.axel.pro/entry/303/

Its answers to errors are PacketFence's (`lib/pf/UnifiedApi/Controller.pm` in https://github.com/inverse-inc/packetfence).
No id and no receipt is promised, so a message is known to be handed over and no more.
"""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields
from gateways.http import HttpRequest, HttpResponse, get, join, object_of, post_json, retry_after, whole_of
from gateways.outcomes import Accepted, GatewayFault, OutboundSms, Refused, RefusedForNow, RefusedHere, Unreadable
from gateways.provider import BaseProvider

RIGHTS = ("SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE")
GIVE_RIGHTS = f"Give the account there the role Administrator, or the rights {', '.join(RIGHTS)}."
CORRECT_ADDRESS = "Correct the address in the gateway's settings; it is that of the API, usually with the port 9999."
LACKING = re.compile(r"lacking the ([A-Z_]{1,60}) ")
UNKNOWN_PATH = "Unknown path"
TOKEN_UNKNOWN = "Couldn't find any information for the current token"


class Provider(BaseProvider):
    label = "AxelNAC"
    about = _("Another AxelNAC, or another of these portals: it sends through a gateway of its own.")
    secrets = ("password",)
    way = auth.LoginToken()

    class Config(forms.Form):
        url = fields.address(help_text=_("Of its API, usually with the port 9999: https://axelnac.example.org:9999."))
        login = fields.login()
        password = fields.password()
        sms_gateway = forms.CharField(
            label=_("Gateway over there"), max_length=100, help_text=_("The name of the SMS gateway in that system.")
        )
        phone_format = forms.ChoiceField(
            label=_("Phones are written"),
            choices=[("plus", _("with a plus: +79161234567")), ("digits", _("as digits: 79161234567"))],
            initial="plus",
            help_text=_("As its gateway over there wants them."),
        )
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        phone = sms.phone if self.settings["phone_format"] == "plus" else sms.phone.lstrip("+")
        body = {"sms_gateway": self.settings["sms_gateway"], "phone_number": phone, "message": sms.text}
        return post_json(join(self.settings["url"], "/api/v1/sms_gateways/send_sms"), body)

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 204:
            return Accepted()
        if response.status == 429:
            raise RefusedForNow("too many messages at once", retry_after(response))
        if response.status >= 500:
            return super().read_submit(response)
        answer = object_of(response)
        status = _status(answer, response.status)
        if 200 <= status < 300 and not answer.get("error"):
            # What else success looks like is not documented; an answer without an error is one.
            return Accepted(_reference(answer))
        if status == 403:
            raise _lacks_a_right(answer)
        if status == 404 and _message(answer).startswith(UNKNOWN_PATH):
            raise GatewayFault("messages are not taken at this address (404)", CORRECT_ADDRESS)
        if status == 404 or (status == 422 and _names(answer, "sms_gateway")):
            raise RefusedHere(f"the gateway is not known over there ({status})")
        if status in {400, 422}:
            raise Refused(f"the phone or the text is refused ({status})")
        return super().read_submit(response)

    def check(self) -> HttpRequest:
        return get(join(self.settings["url"], "/api/v1/token_info"), {"no-expiration-extension": 1})

    def read_check(self, response: HttpResponse) -> str:
        answer = object_of(response)
        if response.status == 403:
            raise _lacks_a_right(answer)
        if response.status == 404 and _message(answer).startswith(TOKEN_UNKNOWN):
            raise Unreadable("the token that was just given is not known any more")
        if response.status == 404 and _message(answer):
            return "the login is accepted; this system does not tell rights"
        item = answer.get("item")
        actions = item.get("admin_actions") if isinstance(item, dict) else None
        if response.status != 200 or not isinstance(actions, list):
            raise Unreadable(f"asked for its rights, the provider answered {response.status}")
        if missing := [right for right in RIGHTS if right not in actions]:
            raise GatewayFault(f"the account lacks {', '.join(missing)}", GIVE_RIGHTS)
        return "the login is accepted and has the rights that sending needs"

    def redact(self, text: str) -> str:
        return auth.without_tokens(text)


def _status(answer: Mapping[str, Any], status: int) -> int:
    """What the answer means as a status: an error may hide under 200, in `status` or in `errors`."""
    written = whole_of(answer.get("status"))
    if 200 <= status < 300 and written is not None and written >= 400:
        return written
    return 422 if 200 <= status < 300 and answer.get("errors") else status


def _message(answer: Mapping[str, Any]) -> str:
    found = answer.get("message")
    return found if isinstance(found, str) else ""


def _reference(answer: Mapping[str, Any]) -> str:
    """An id where there is one: beside the message, or as these portals answer in `item`."""
    item = answer.get("item")
    found = answer.get("id") or (item.get("id") if isinstance(item, dict) else None)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _names(answer: Mapping[str, Any], field: str) -> bool:
    errors = answer.get("errors")
    return isinstance(errors, list) and any(isinstance(error, dict) and error.get("field") == field for error in errors)


def _lacks_a_right(answer: Mapping[str, Any]) -> GatewayFault:
    named = LACKING.search(_message(answer))
    return GatewayFault(f"the account lacks {named[1] if named else 'a right'}", GIVE_RIGHTS)
