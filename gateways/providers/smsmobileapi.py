"""SMSmobileAPI: a real phone sends, with the provider's app, its own SIM and number, or by WhatsApp.

Its documentation: https://smsmobileapi.com/doc/, https://github.com/SmsMobileApi (smsmobileapi-openapi, and for its
calls smsmobileapi-webhook-examples). It knows that the phone has sent a message and never that it arrived, so nothing
here says delivered. What its errors mean, and how it answers a resend, is not public.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields, http, outcomes
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, id_of, whole_of
from gateways.outcomes import Accepted, BadCallback, InboundSms, OutboundSms, Receipt, ReceiptState, SentSms, Unreadable
from gateways.provider import BaseProvider, Paste
from gateways.signatures import signs_moment_and_body

CHANNELS: Mapping[str, Mapping[str, object]] = {"sms": {}, "whatsapp": {"waonly": "yes"}, "both": {"sendwa": 1}}
#: How it spells that nothing is wrong, and that something is so: as a number, as text, or not at all.
NO_ERROR = (0, "0", "", None)
YES = (1, "1", True)
#: A longer error, or one with other letters, may be a sentence that repeats the phone.
PLAIN_ERROR = re.compile(r"[0-9]{1,6}|[A-Za-z_]{1,40}")
KEY_IN_TEXT = re.compile(r'(?i)(\bapi_?key"?\s{0,9}[:=]\s{0,9}"?)[^"&\s,}]+')
FAILED = "the phone could not send it"
EVENTS = {"sent": ReceiptState.UNCONFIRMED, "failed": ReceiptState.UNDELIVERED}
SIGNATURE = "x-smsmobileapi-signature"


class Provider(BaseProvider):
    label = "SMSmobileAPI"
    about = _("Your own Android or iPhone sends, with its SIM card; needs the provider's app.")
    pastes = (Paste(_("In its dashboard as webhook, version 2, for sent, failed and received, with a secret.")),)
    secrets = ("api_key", "client_secret", "webhook_secret")
    sends_receipts = can_query = can_fetch_inbound = takes_former = hears_inbound = True
    query_batch = 1

    class Config(forms.Form):
        url = fields.address("https://api.smsmobileapi.com")
        api_key = fields.api_key(required=False, help_text=_("Or give a client id and its secret."))
        client_id = fields.client_id(required=False, help_text=_("Instead of the API key, for OAuth2."))
        client_secret = fields.client_secret(required=False)
        device = fields.text(_("SID of the phone"), _("The phone that sends; empty means any."), required=False)
        sim_port = fields.choice(_("SIM slot"), ("", "1", "2"), _("Of a phone with two; empty: its choice."))
        channel = fields.choice(_("Channel"), CHANNELS, _("By what the phone sends."), initial="sms")
        short_urls = fields.yes_no(_("Shorten links"), _("The provider replaces addresses in texts by its own."))
        webhook_secret = fields.webhook_secret(required=False)
        delete_path = fields.text(_("Path that deletes from the log"), _("It is not published."), required=False)
        verify_tls = fields.verify_tls()

        def clean(self) -> None:
            given = self.cleaned_data
            if not given.get("api_key") and not (given.get("client_id") and given.get("client_secret")):
                self.add_error("api_key", _("Give an API key, or a client id and its secret."))

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        oauth2 = auth.OAuth2ClientCredentials("oauth2/token", ends=frozenset({401, 403}))
        self.way = auth.ApiKey("form", "apikey") if self.settings.get("api_key") else oauth2
        self.address = partial(http.join, self.settings["url"])
        self.can_forget = bool(self.settings.get("delete_path"))
        self.asked = ""  # what `query` asked about: a row of the log need not say whose it is

    def submit(self, sms: OutboundSms) -> HttpRequest:
        if sms.former:
            return http.post_form(self.address("resend/"), {"guid": sms.former})
        form = {
            **CHANNELS[self.settings["channel"]],
            "recipients": sms.phone.lstrip("+") if self.settings["channel"] == "whatsapp" else sms.phone,
            "message": sms.text,
            "sIdentifiant": self.settings.get("device") or None,
            "port": self.settings.get("sim_port") or None,
            "shorturl": int(bool(self.settings.get("short_urls"))),
        }
        return http.post_form(self.address("sendsms/"), form)

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 429:
            raise outcomes.RefusedForNow("too many messages at once", http.retry_after(response, 60.0))
        if response.status == 400:
            raise outcomes.Refused("the provider refuses the phone or the text")
        told = answer_in(response)
        if told.get("success") is True or (told.get("error") in NO_ERROR and told.get("sent") in YES):
            return Accepted(id_of(told.get("id")) or id_of(told.get("guid")))
        if (error := error_in(told)) is not None and told.get("sent") not in YES:
            # What its errors mean is not public: another gateway may well take the message.
            raise outcomes.RefusedHere(f"the provider refuses the message{error}")
        return super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        self.asked = asked[0].reference
        return http.get(self.address("log/sent/sms/"), {"guid_message": self.asked})

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        told = http.objects_of(answer_in(response).get("sms"))
        said = [receipt_in(row, id_of(row.get("guid")) or self.asked) for row in told]
        own = [receipt for receipt in said if receipt.reference and self.asked in {"", receipt.reference}]
        # Several rows cannot all be about the message; none means that it is still on its way.
        return own if len(own) == 1 or not self.asked else [Receipt(self.asked, ReceiptState.PENDING)]

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        secret, given = self.settings.get("webhook_secret"), callback.headers.get(SIGNATURE, "")
        moment = callback.headers.get("x-smsmobileapi-timestamp", "")
        if secret and not signs_moment_and_body(secret, moment, callback.body, given.removeprefix("v1=")):
            raise BadCallback("the call is not signed with the webhook secret, or not now", 401)
        told = http.object_called(callback)
        if SIGNATURE in callback.headers:
            return self._event_in(told)
        if found := inbound_in([told, *http.objects_of(told.get("messages"))]):
            return [*found]
        raise BadCallback("the call holds no message")

    def _event_in(self, told: Mapping[str, Any]) -> list[Receipt | InboundSms]:
        """A call of the second version."""
        if not isinstance(happened := told.get("data"), dict):
            raise BadCallback("the call is not an event")
        channel, _dot, what = str(told.get("type")).partition(".")
        if what == "received" and channel in CHANNELS:
            return [*inbound_in([happened])]
        state, guid = EVENTS.get(what), id_of(happened.get("guid")) or id_of(happened.get("id"))
        if not state or not guid or channel != ("whatsapp" if self.settings["channel"] == "whatsapp" else "sms"):
            return []
        detail = FAILED + (error_in(happened) or "") if state is ReceiptState.UNDELIVERED else ""
        return [Receipt(guid, state, http.written_moment_of(told.get("occurred_at")), detail)]

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        return CallbackReply("OK", 202 if SIGNATURE in callback.headers else 200)

    def fetch_inbound(self, since: datetime) -> HttpRequest:
        # A message may reach the platform later than others that came to the phone after it.
        asked = {"after_timestamp_unix": int((since - timedelta(minutes=5)).timestamp())}
        return http.get(self.address("getsms/"), {**asked, "sIdentifiantPhone": self.settings.get("device") or None})

    def read_inbound(self, response: HttpResponse) -> list[InboundSms]:
        return inbound_in(http.objects_of(answer_in(response, good=True).get("sms")))

    def check(self) -> HttpRequest:
        # With a wrong key, the list of received messages is not refused but empty.
        return http.get(self.address("gateway/mobile/list/"))

    def read_check(self, response: HttpResponse) -> str:
        connected = whole_of(answer_in(response).get("connected_now"))
        if connected is None:
            raise Unreadable("the answer tells no number of phones")
        if not connected:
            raise outcomes.GatewayFault("no phone is connected", "Start the provider's app on the phone.")
        return f"phones connected: {connected}"

    def forget(self, sent: SentSms) -> HttpRequest:
        return http.get(self.address(self.settings["delete_path"]), {"guid": sent.reference})

    def read_forget(self, response: HttpResponse) -> None:
        answer_in(response, good=True)

    def redact(self, text: str) -> str:
        return KEY_IN_TEXT.sub(r"\1…", auth.without_tokens(text))


def answer_in(response: HttpResponse, *, good: bool = False) -> dict[str, Any]:
    """The answer, in a `result` of its own or not; `good`: one without error. Raises CredentialsRefused, Unreadable."""
    if response.status in {401, 403}:
        raise outcomes.CredentialsRefused("the provider does not accept the key, or it has expired", "Copy it anew.")
    if response.status != 200:
        raise Unreadable(f"the provider answered {response.status}")
    outer = http.object_of(response)
    result = outer.get("result")
    answer = {**outer, **result} if isinstance(result, dict) else outer
    if good and (error := error_in(answer)) is not None:
        raise Unreadable(f"the provider reports an error{error}")
    return answer


def error_in(answer: Mapping[str, Any], *names: str) -> str | None:
    """The first error, ready to stand behind a sentence; None where there is none."""
    for error in map(answer.get, names or ("error",)):
        if error not in NO_ERROR and isinstance(error, int | str):
            return f" (error {error})" if PLAIN_ERROR.fullmatch(str(error)) else ""
    return None


def receipt_in(row: Mapping[str, Any], reference: str) -> Receipt:
    if (error := error_in(row, "error_api", "send_from_mobile_erreur")) is not None:
        return Receipt(reference, ReceiptState.UNDELIVERED, detail=FAILED + error)
    sent = row.get("send_from_mobile") in YES
    return Receipt(reference, ReceiptState.UNCONFIRMED if sent else ReceiptState.PENDING)


def inbound_in(rows: Sequence[Mapping[str, Any]]) -> list[InboundSms]:
    found = []
    for row in rows:
        phone, text = id_of(row.get("number") or row.get("from")), row.get("message")
        at = row.get("timestamp_unix") or row.get("received_at") or row.get("time_received")
        if phone and isinstance(text, str):
            found.append(InboundSms(phone, text, id_of(row.get("guid")), http.written_moment_of(at)))
    return found
