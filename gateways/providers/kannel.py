"""Kannel, the open SMS gateway in front of any operator that speaks SMPP: its `sendsms`, and the calls it makes to us.

Its documentation: https://sources.debian.org/src/kannel/1.4.5-22/doc/userguide/userguide.xml, chapters "Setting up a
SMS Gateway" and "Delivery Reports". All but the text goes into headers, so that no address holds the password.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import fields
from gateways.gsm7 import BASIC, EXTENDED
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, join, retry_after, text_of
from gateways.outcomes import (
    Accepted,
    BadCallback,
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
    Unreadable,
)
from gateways.provider import BaseProvider, Paste

#: A text of these is sent in 7 bits, any other in UCS-2.
GSM_7 = BASIC | EXTENDED
#: What its answers begin with. The last is that of `immediate-sendsms-reply`.
TAKEN = {"0: Accepted": "", "3: Queued": "Kannel keeps it until its operator is connected", "Sent.": ""}
#: By status and beginning of the answer; the first that fits. With a 4xx Kannel "cannot deliver in any circumstances".
ERRORS: Sequence[tuple[int, str, Callable[[], NotAccepted]]] = (
    (400, "Charset or body", partial(Refused, "Kannel cannot read the text")),
    (400, "Empty receiver", partial(Refused, "Kannel refuses the phone")),
    (400, "Number(s)", partial(RefusedHere, "Kannel's lists of phones do not admit this one")),
    (400, "Sender missing", partial(RefusedHere, "the gateway has no sender, and Kannel has none of its own")),
    (400, "", partial(RefusedHere, "Kannel does not take the request")),
    (403, "Not routable", partial(RefusedHere, "Kannel has no connection that takes this phone")),
    (
        403,
        "Authorization failed",
        partial(
            CredentialsRefused,
            "Kannel does not know this login or password, or does not admit this host",
            "Compare them with Kannel's group sendsms-user, and look at its user-allow-ip.",
        ),
    ),
    (404, "", partial(GatewayFault, "there is no sendsms at this address", "Give that of smsbox's sendsms-port.")),
)
#: `%d` of a receipt; 4 and 8 are not the end, and expiry is reported as 2.
STATES = {"1": ReceiptState.DELIVERED, "2": ReceiptState.UNDELIVERED, "16": ReceiptState.UNDELIVERED}
#: Their sum is the mask: nothing is asked that does not tell the end.
MASK = str(sum(map(int, STATES)))


class Provider(BaseProvider):
    label = "Kannel"
    about = _("Your own Kannel in front of any operator that speaks SMPP.")
    pastes = (
        Paste(
            _("In a group sms-service of Kannel, as get-url beside max-messages = 0: for what guests write."),
            "?phone=%p&text=%b&charset=%C&id=%I&at=%T",
        ),
    )
    hears_inbound = True
    secrets = ("password",)
    reports_by_key = True

    class Config(forms.Form):
        url = fields.address(
            "http://127.0.0.1:13013",
            help_text=_(
                "Of its smsbox. Where that is in a private network, list the network in GATEWAY_ALLOWED_NETWORKS."
            ),
        )
        login = fields.login(
            help_text=_(
                "Of a group sendsms-user; without max-messages = 10 and concatenation = true it cuts long texts."
            )
        )
        password = fields.password(help_text=_("Of the same group sendsms-user."))
        smsc = forms.CharField(
            label=_("Connection"), max_length=100, required=False, help_text=_("Its smsc-id; empty: Kannel chooses.")
        )
        verify_tls = fields.verify_tls()

    def __init__(
        self, settings: Mapping[str, Any], sender: str = "", gateway: str = "", callback_url: str = ""
    ) -> None:
        super().__init__(settings, sender, gateway, callback_url)
        self.sends_receipts = bool(callback_url)

    def submit(self, sms: OutboundSms) -> HttpRequest:
        seconds = (sms.valid_until - datetime.now(UTC)).total_seconds()
        return self._ask(
            sms.text.encode(),
            {
                "to": sms.phone,
                "from": sms.sender,
                "coding": "0" if GSM_7.issuperset(sms.text) else "2",
                "validity": str(max(1, int(seconds / 60))),
                "smsc": self.settings.get("smsc", ""),
                "dlr-mask": MASK if self.callback_url else "",
                "dlr-url": self._report_url(sms.key),
            },
        )

    def read_submit(self, response: HttpResponse) -> Accepted:
        answer = text_of(response).strip()
        if response.status in {200, 202}:
            for beginning, detail in TAKEN.items():
                if answer.startswith(beginning):
                    return Accepted(detail=detail)
        if response.status == 429 or (response.status == 503 and answer.startswith("Temporal failure")):
            raise RefusedForNow("Kannel cannot take the message now", retry_after(response))
        if error := _error(response):
            raise error
        return super().read_submit(response)

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        # A text comes in the charset of its own message, so the bytes are kept as they are until that is known.
        query = callback.url.partition("?")[2]
        told = dict(parse_qsl(query, keep_blank_values=True, encoding="latin-1"))
        if "text" in told and "phone" in told:
            text = _decoded(told["text"].encode("latin-1", "replace"), told.get("charset", ""))
            return [InboundSms(told["phone"], text, told.get("id", ""), _moment(told))]
        if "key" in told and told.get("state", "").isdecimal():
            return [Receipt(told["key"], STATES.get(told["state"], ReceiptState.PENDING), _moment(told))]
        raise BadCallback("the call is neither a receipt nor a message")

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        # Whatever is said here would be sent to the guest as an SMS.
        return CallbackReply()

    def check(self) -> HttpRequest:
        return self._ask(b"", {})

    def read_check(self, response: HttpResponse) -> str:
        if response.status == 400 and text_of(response).startswith("Missing receiver"):
            return "Kannel knows this login"
        error = _error(response)
        if isinstance(error, GatewayFault):
            raise error
        raise Unreadable(f"asked without a phone, Kannel answered {response.status}")

    def _ask(self, text: bytes, headers: Mapping[str, str]) -> HttpRequest:
        told = {"username": self.settings["login"], "password": self.settings["password"], **headers}
        given = {f"x-kannel-{name}": value for name, value in told.items() if value}
        url = join(self.settings["url"], "cgi-bin/sendsms")
        return HttpRequest("POST", url, {"content-type": "text/plain; charset=UTF-8", **given}, text)

    def _report_url(self, key: str) -> str:
        """Where the receipt is brought; Kannel fills in what stands after a `%`.

        `%A`, the operator's own words, is not asked for: they may quote the text, and addresses are logged.
        """
        if not self.callback_url:
            return ""
        ours = f"{self.callback_url}?key={quote(key, safe='')}".replace("%", "%%")
        return f"{ours}&state=%d&at=%T"


def _error(response: HttpResponse) -> NotAccepted | None:
    answer = text_of(response).strip()
    errors = [error for status, start, error in ERRORS if response.status == status and answer.startswith(start)]
    return errors[0]() if errors else None


def _decoded(text: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            return text.decode(name)
        except (LookupError, ValueError):
            continue
    return text.decode("latin-1")


def _moment(told: Mapping[str, str]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(told.get("at", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None
