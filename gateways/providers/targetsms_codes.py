"""TargetSMS password generation: the provider makes the one-time code, sends it and tells it to us.

Its documentation: https://targetsms.ru/images/PHP(auth).pdf. It names one error only, a wrong login; and it does not
say whether this host takes https.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import fields, xml
from gateways import smsgate_platform as platform
from gateways.http import HttpRequest, HttpResponse
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    OutboundSms,
    Receipt,
    Refused,
    RefusedForNow,
    SentSms,
)
from gateways.provider import BaseProvider

PLACEHOLDER = "{код}"

#: These two come from the host that makes the codes, and with them nothing was sent.
NOT_TAKEN: platform.Errors = {
    "not_valid_phone": platform.BAD_PHONE,
    "connection_error": partial(RefusedForNow, "the provider cannot reach its own sending server", 5.0),
}


class Provider(BaseProvider):
    label = "TargetSMS one-time codes"
    about = _("TargetSMS makes the one-time code itself and fills it into the text: for codes alone.")
    secrets = ("password",)
    code_placeholder = PLACEHOLDER
    sends_receipts = can_query = True

    class Config(forms.Form):
        url = fields.address("https://apiagent.ru/password_generation/api.php")
        allow_http = forms.BooleanField(
            label=_("Allow http"),
            required=False,
            help_text=_("Login, password and codes then travel readable for anybody on the way."),
        )
        login = fields.login()
        password = fields.password()
        code_length = forms.IntegerField(
            label=_("Digits of a code"),
            initial=6,
            min_value=4,
            max_value=10,
            help_text=_("From 4 to 10."),
        )
        state_url = fields.AddressField(
            label=_("Address that tells delivery states"),
            initial="https://sms.targetsms.ru/xml/state.php",
            max_length=500,
            help_text=_("Of the same platform; asked what became of a message."),
        )
        verify_tls = fields.verify_tls()

        def clean(self) -> dict[str, Any]:
            given = super().clean() or {}
            for name in ("url", "state_url"):
                if urlsplit(given.get(name, "")).scheme == "http" and not given.get("allow_http"):
                    self.add_error(name, _("Give an https address, or allow http: it shows login and password to all."))
            return given

    def submit(self, sms: OutboundSms) -> HttpRequest:
        if PLACEHOLDER not in sms.text:
            raise Refused(f"the text must hold {PLACEHOLDER}, where the provider puts the code")
        # Here login and password are texts; where states are told they are attributes.
        security = [xml.element(name, self.settings[name]) for name in ("login", "password")]
        request = xml.element(
            "request",
            xml.element("security", *security),
            xml.element("phone", sms.phone),
            xml.element("sender", sms.sender),
            xml.element("random_string_len", str(self.settings["code_length"])),
            xml.element("text", sms.text),
        )
        return xml.post(self.settings["url"], request)

    def read_submit(self, response: HttpResponse) -> Accepted:
        root = platform.submitted(response)
        if (error := root.find("error")) is not None:
            said = platform.words(error)
            if platform.taken(said):
                # It may yet arrive, with a code that nobody told us.
                raise Ambiguous("the provider may have the message, and does not tell its code")
            unknown = Refused("the provider refuses the message (unknown error)")
            raise platform.item_error(said) or platform.request_error(said) or unknown
        if (success := root.find("success")) is None:
            return super().read_submit(response)
        status, reference, code = (success.get(name, "").strip() for name in ("status", "id_sms", "code"))
        if status in NOT_TAKEN:
            refusal = NOT_TAKEN[status]()
            raise refusal
        if (status and status not in platform.STATES) or not (reference or code):
            return super().read_submit(response)
        return Accepted(reference, code=code)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        ids = [xml.element("id_sms", sms.reference) for sms in asked if sms.reference]
        return platform.ask(self.settings["state_url"], self.settings, xml.element("get_state", *ids))

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        return platform.receipts(platform.answer(response))

    def check(self) -> HttpRequest:
        return platform.ask(urljoin(self.settings["state_url"], "balance.php"), self.settings)

    def read_check(self, response: HttpResponse) -> str:
        platform.balance(platform.answer(response))
        return "the login is accepted where states are told; where codes are made only a message can try it"

    def redact(self, text: str) -> str:
        return xml.without(text, "code", "password")
