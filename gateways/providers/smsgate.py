"""The XML API of the SMSGate platform, on which TargetSMS and many other Russian companies run.

Its documentation: https://github.com/smsgate/xmlGateDoc. The zone of its times is not documented and so is a setting.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gateways import fields, xml
from gateways import smsgate_platform as platform
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, join
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    BadCallback,
    Balance,
    InboundSms,
    OutboundSms,
    Receipt,
    Refused,
    SentSms,
    Unreadable,
)
from gateways.provider import BaseProvider, Paste

#: The provider's clock and ours may differ; a validity that ends at once could be refused, a longer one harms nobody.
CLOCKS_DIFFER = timedelta(minutes=5)


def is_zone(value: str) -> None:
    """Raises ValidationError for anything but the name of a time zone."""
    if value not in available_timezones():
        raise ValidationError(_("Name a zone such as Europe/Moscow."))


class Provider(BaseProvider):
    label = "SMSGate platform (TargetSMS, sms16, Pronto, t-sms)"
    about = _("TargetSMS and other Russian companies on the same platform; a lost answer never means a second SMS.")
    pastes = (Paste(_("If you like, ask its manager to report states to this address: receipts come sooner.")),)
    secrets = ("password",)
    dedupe_key = True  # `client_id_sms`: a repeat is not sent, and is answered with the earlier `id_sms`
    sends_receipts = can_query = can_tell_balance = can_fetch_inbound = True

    class Config(forms.Form):
        url = fields.address(
            "https://sms.targetsms.ru",
            help_text=_(
                "Others on this platform: https://my.sms16.ru (sms16), https://clk.prontosms.ru (Pronto), "
                "https://my5.t-sms.ru (t-sms)."
            ),
        )
        login = fields.login()
        password = fields.password()
        translit = fields.yes_no(
            _("Cyrillic in Latin letters"), _("The provider rewrites texts, so that a segment holds more letters.")
        )
        time_zone = forms.CharField(
            label=_("The account's time zone"),
            initial="Europe/Moscow",
            max_length=50,
            validators=[is_zone],
            help_text=_("In which its times are written, such as Europe/Moscow."),
        )
        verify_tls = fields.verify_tls()

    def submit(self, sms: OutboundSms) -> HttpRequest:
        # The two characters stand for a line break, which the document may not have.
        text = sms.text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
        abonent = xml.element(
            "abonent",
            phone=sms.phone.lstrip("+"),
            number_sms=1,
            client_id_sms=sms.number,
            validity_period=f"{(sms.valid_until + CLOCKS_DIFFER).astimezone(self._zone):%Y-%m-%d %H:%M}",
        )
        translit = [xml.element("translite", "1")] if self.settings["translit"] else []
        sent = (xml.element("sender", sms.sender), xml.element("text", text), *translit, abonent)
        return self._ask("xml/", xml.element("message", *sent, type="sms"))

    def read_submit(self, response: HttpResponse) -> Accepted:
        root = platform.submitted(response)
        if (error := root.find("error")) is not None:
            unknown = Ambiguous("the provider reports an error that is not documented")
            raise platform.request_error(platform.words(error)) or unknown
        if (item := root.find("information")) is None:
            return super().read_submit(response)
        said, reference = platform.words(item), item.get("id_sms", "").strip()
        detail = platform.taken(said)
        if detail or (reference and said in platform.STATES):
            return Accepted(reference, detail)
        if refusal := platform.item_error(said):
            raise refusal
        if reference or not said or said in platform.STATES:
            return super().read_submit(response)
        # Documented: a message without an id was not sent, and the words are the error.
        raise Refused("the provider refuses the message (unknown error)")

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        ids = [xml.element("id_sms", sms.reference) for sms in asked if sms.reference]
        return self._ask("xml/state.php", xml.element("get_state", *ids))

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        return platform.receipts(platform.answer(response), self._zone)

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        return [*platform.receipts(pushed(callback), self._zone)]

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        # Every id, known to us or not: one that is left out is reported again and again.
        ids = [xml.element("id_sms", state.get("id_sms", "")) for state in pushed(callback).findall("state")]
        return CallbackReply(xml.document(xml.element("response", *ids)).decode(), content_type=xml.CONTENT_TYPE)

    def balance(self) -> HttpRequest:
        return self._ask("xml/balance.php")

    def read_balance(self, response: HttpResponse) -> Balance:
        return platform.balance(platform.answer(response))

    def fetch_inbound(self, since: datetime) -> HttpRequest:
        # Without the second at which it starts, by the documentation.
        start = f"{(since - timedelta(seconds=1)).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
        return self._ask("xml/incoming.php", xml.element("time", start=start))

    def read_inbound(self, response: HttpResponse) -> list[InboundSms]:
        return [
            InboundSms(
                phone,
                "".join(map(str, sms.itertext())),
                sms.get("id_sms", ""),
                platform.moment(sms.get("date_receive"), self._zone),
            )
            for sms in platform.answer(response).findall("sms")
            if (phone := sms.get("originator"))
        ]

    def redact(self, text: str) -> str:
        return xml.without(text, "password")

    def _ask(self, path: str, *content: xml.Element) -> HttpRequest:
        return platform.ask(join(self.settings["url"], path), self.settings, *content)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings["time_zone"])


def pushed(callback: Callback) -> xml.Element:
    """The states that the provider reports. Raises BadCallback."""
    try:
        root = xml.read(callback)
    except Unreadable as error:
        raise BadCallback(f"the report cannot be read: {error}") from None
    if root.tag != "request":
        raise BadCallback("this is no report of states")
    return root
