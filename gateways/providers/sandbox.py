"""Sandbox: a phone inside the portal. `gateways/sandbox.py` answers these requests; no socket is opened for them."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext_lazy as _

from gateways import fields
from gateways.http import HttpRequest, HttpResponse, object_of, post_json
from gateways.outcomes import Accepted, OutboundSms, Receipt, ReceiptState, Refused, SentSms, Unreadable
from gateways.provider import BaseProvider


class Provider(BaseProvider):
    label = "Sandbox"
    about = _("A phone inside the portal, for trying things out: nothing leaves, nothing is paid.")
    alone = True
    settle_window = 2.0

    class Config(forms.Form):
        understands_keys = fields.yes_no(
            _("Knows a repeated message by its key"),
            _("As some providers do: the same message sent again arrives once."),
            initial=True,
        )
        answers_look_ups = fields.yes_no(
            _("Can be asked whether it has a message"),
            _("After a lost answer the portal looks a message up."),
            initial=True,
        )
        receipts = fields.yes_no(_("Reports delivery"), _("Off: messages end as handed over."), initial=True)

    def __init__(
        self, settings: Mapping[str, Any], sender: str = "", gateway: str = "", callback_url: str = ""
    ) -> None:
        super().__init__(settings, sender, gateway, callback_url)
        self.dedupe_key = settings.get("understands_keys", True)
        self.can_look_up = settings.get("answers_look_ups", True)
        self.sends_receipts = self.can_query = settings.get("receipts", True)

    def submit(self, sms: OutboundSms) -> HttpRequest:
        return self._ask(
            "submit", key=sms.key, knows_keys=self.dedupe_key, phone=sms.phone, sender=sms.sender, text=sms.text
        )

    def read_submit(self, response: HttpResponse) -> Accepted:
        if response.status == 422:
            raise Refused("the sandbox refuses this phone")
        reference = object_of(response).get("reference")
        if response.status != 200 or not isinstance(reference, str):
            return super().read_submit(response)
        return Accepted(reference)

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        return self._ask("query", references=[sms.reference for sms in asked])

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        states = _read(response, "states")
        return [
            Receipt(reference, ReceiptState(state))
            for reference, state in states.items()
            if state in ReceiptState.values
        ]

    def look_up(self, sought: Sequence[SentSms]) -> HttpRequest:
        return self._ask("look_up", keys=[sms.key for sms in sought])

    def read_look_up(self, response: HttpResponse) -> Mapping[str, Accepted | None]:
        found = _read(response, "found")
        return {key: None if reference is None else Accepted(reference) for key, reference in found.items()}

    def _ask(self, what: str, **arguments: Any) -> HttpRequest:
        return post_json(f"sandbox:{quote(self.gateway, safe='')}/{what}", arguments)


def _read(response: HttpResponse, key: str) -> dict[str, str | None]:
    found = object_of(response).get(key)
    if response.status != 200 or not isinstance(found, dict):
        raise Unreadable(f"the sandbox answered {response.status}")
    if not all(isinstance(value, str | None) for value in found.values()):
        raise Unreadable("the sandbox answered with something else than texts")
    return found
