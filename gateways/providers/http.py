"""Any provider by HTTP, as an administrator describes it in a form; nothing here knows one from another.

The conventions are those of RapidPro's external channels (https://github.com/nyaruka/courier, `handlers/external`), of
playSMS, Jasmin and Kannel. Templates and rules are in `gateways/generic/`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from gateways.generic import calls, placeholders, rules, tables, templates, ways
from gateways.generic.checks import MEANINGS
from gateways.generic.form import Description
from gateways.generic.paths import LONGEST_FOUND
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse, retry_after
from gateways.outcomes import (
    Accepted,
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

KINDS = dict(zip(MEANINGS, (Refused, RefusedHere, RefusedForNow, GatewayFault, CredentialsRefused), strict=True))
REMEDY = "Compare the gateway's login, password or key with the provider's cabinet."
CODE = re.compile(r"[\w.:/-]{1,40}")
PHONE = re.compile(r"\d{7,}")


class Provider(BaseProvider):
    label = "HTTP"
    about = _("Any API that takes one message per call, described in a form: what it can do is what you describe.")
    pastes = (
        Paste(
            _("Where the provider wants to know whom to call, unless {{callback_url}} goes with every message."),
        ),
    )
    secrets = ("password", "api_key", "client_secret")
    query_batch = 1

    class Config(Description):
        """Whatever the provider's documentation says of its API."""

    sections = Config.SECTIONS

    def __init__(
        self, settings: Mapping[str, Any], sender: str = "", gateway: str = "", callback_url: str = ""
    ) -> None:
        super().__init__(settings, sender, gateway, callback_url)
        self.way = ways.of(settings)
        self.encoding = self._text("encoding") or "utf-8"
        self.dedupe_key = bool(settings.get("repeat_is_safe"))
        self.can_query = bool(self._text("status_url"))
        self.sends_receipts = self.can_query or bool(self._text("callback_status"))
        self.reports_by_key = self.sends_receipts and not self._text("reference")
        self.hears_inbound = bool(self._text("callback_text"))
        self.asked = ""

    def submit(self, sms: OutboundSms) -> HttpRequest:
        most = self.settings.get("max_parts")
        if most and sms.parts > most:
            raise RefusedHere(f"the text needs {sms.parts} segments, and this gateway takes {most} at most")
        values = placeholders.of_message(sms, self.settings, self.callback_url)
        return self._request(self._text("method"), "url", "body", values)

    def read_submit(self, response: HttpResponse) -> Accepted:
        self._raise_if_refused(response)
        if response.status in self._statuses("ok_http") and rules.all_hold(self._rules("ok"), response):
            reference = rules.first_found(self._rules("reference"), response)
            if reference or self._rules("ok"):
                return Accepted(reference)
        return super().read_submit(response)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        self.asked = asked[0].reference or asked[0].key
        method = "POST" if self._text("status_body") else "GET"
        return self._request(method, "status_url", "status_body", placeholders.of_sent(asked[0], self.settings))

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        if response.status not in self._statuses("ok_http"):
            self._raise_if_shut_out(response)
            raise Unreadable(f"the provider answered {response.status}")
        state = rules.first_found(self._rules("status"), response)
        if not state:
            raise Unreadable("the answer has no state")
        return [self._receipt(self.asked, state)]

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        if not (self._text("callback_status") or self._text("callback_text")):
            return super().read_callback(callback)
        return list(self._said(callback))

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        return CallbackReply(self._text("callback_reply"))

    def _request(self, method: str, url: str, body: str, values: placeholders.Values) -> HttpRequest:
        kind = "none" if method == "GET" else self._text("content_type")
        try:
            return HttpRequest(
                method,
                templates.address(self._text(url), values, self.encoding),
                {**templates.content_type(kind, self.encoding), **templates.headers(self._text("headers"), values)},
                templates.body(kind, self._text(body), values, self.encoding),
            )
        except UnicodeEncodeError:
            raise RefusedHere(f"the message has characters that {self.encoding} lacks") from None
        except templates.Unfillable as error:
            raise RefusedHere(f"the message does not fit the gateway's templates: {error}") from None

    def _raise_if_refused(self, response: HttpResponse) -> None:
        try:
            refused = rules.any_holds(self._rules("fail"), response)
        except Unreadable:
            # What stands before a provider's API speaks in pages, whatever the API itself speaks.
            self._raise_if_shut_out(response)
            raise
        error = rules.first_found(self._rules("error"), response)[:LONGEST_FOUND] if refused else ""
        if meaning := tables.table(self._text("error_map"), MEANINGS).get(error.lower()):
            raise _meant(meaning, f"the provider refuses the message ({error})")
        self._raise_if_shut_out(response)
        # Not at 5xx: a page about a failing server can hold any word, and the message may have passed it.
        if refused and response.status < 500:
            code = self._code(error)
            raise Refused(f"the provider refuses the message ({code})" if code else "the provider refuses the message")

    def _raise_if_shut_out(self, response: HttpResponse) -> None:
        if response.status in self._statuses("retry_http"):
            raise RefusedForNow(f"the provider answers {response.status}: later", retry_after(response))
        if response.status in {401, 403} - self._statuses("ok_http"):
            raise CredentialsRefused(f"the provider does not let us in ({response.status})", REMEDY)

    def _said(self, callback: Callback) -> Iterator[Receipt | InboundSms]:
        names = {name: self._text(f"callback_{name}") for name in ("id", "status", "from", "text")}
        for said in calls.reports(callback, names, self.encoding):
            if said["id"] and said["status"]:
                yield self._receipt(said["id"], said["status"])
            elif said["from"] and said["text"]:
                yield InboundSms(said["from"], said["text"], said["id"])

    def _receipt(self, reference: str, state: str) -> Receipt:
        """A state that the settings do not name is no news."""
        meaning = tables.table(self._text("status_map"), list(ReceiptState)).get(state.lower(), ReceiptState.PENDING)
        return Receipt(reference, ReceiptState(meaning), detail=self._code(state))

    def _code(self, found: str) -> str:
        """A provider's code, which is all an operator sees of its words: longer ones may quote phone, text or key."""
        quotes = any(secret in found for name in self.secrets if (secret := self._text(name)))
        return found if CODE.fullmatch(found) and not PHONE.search(found) and not quotes else ""

    def _rules(self, name: str) -> list[rules.Rule]:
        return rules.parse(self._text(name))

    def _statuses(self, name: str) -> frozenset[int]:
        return tables.statuses(self._text(name))

    def _text(self, name: str) -> str:
        return str(self.settings.get(name) or "")


def _meant(meaning: str, reason: str) -> NotAccepted:
    kind = KINDS[meaning]
    return CredentialsRefused(reason, REMEDY) if kind is CredentialsRefused else kind(reason)
