"""Runtel PBX: https://doc-cp.runtel.ru/api/api_info.html

Its documentation has no action that sends an SMS. An installation that has one is described in the settings by its
action, object and parameters; nothing here is the maker's word for it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gateways import auth, fields
from gateways.auth.envelope import code_of, envelope, raise_if_blocked
from gateways.http import HttpRequest, HttpResponse, join, object_of, post_json, retry_after
from gateways.outcomes import Accepted, OutboundSms, Refused, RefusedForNow, RefusedHere
from gateways.provider import BaseProvider

PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
PLACEHOLDERS = ("to", "to_no_plus", "text", "sender", "id")
#: The action, its object or the right to it is missing in this account; another gateway may send the message.
NOT_HERE = frozenset({403, 404, 405})
#: Codes in which it is not said that nothing was done.
UNCLEAR = frozenset({401, 408})


class Provider(BaseProvider):
    label = "Runtel"
    about = _("A Runtel PBX whose installation has an action that sends SMS.")
    secrets = ("password",)
    way = auth.ActionEnvelope()

    class Config(forms.Form):
        url = fields.address(help_text=_("For example https://pbx.example.org; /api/ is added to it."))
        login = fields.login()
        password = fields.password()
        action = fields.text(_("Action that sends"), _("The installation's own; ask its maker."), max_length=100)
        obj = fields.text(_("Object of the action"), _("What the action belongs to; ask its maker."), max_length=100)
        params = forms.CharField(
            label=_("Parameters"),
            max_length=4000,
            widget=forms.Textarea,
            help_text=_(
                'JSON with placeholders as whole values, such as {"phone": "{{to}}", "text": "{{text}}"}. '
                "Known are {{to}}, {{to_no_plus}}, {{text}}, {{sender}} and {{id}}."
            ),
        )
        verify_tls = fields.verify_tls()

        def clean_params(self) -> str:
            written: str = self.cleaned_data["params"]
            check_template(written)
            return written

    def submit(self, sms: OutboundSms) -> HttpRequest:
        values = {
            "to": sms.phone,
            "to_no_plus": sms.phone.lstrip("+"),
            "text": sms.text,
            "sender": sms.sender,
            "id": sms.key,
        }
        params = _filled(json.loads(self.settings["params"]), values)
        body = envelope(self.settings["action"], self.settings["obj"], params, sms.key)
        return post_json(join(self.settings["url"], "/api/"), body)

    def read_submit(self, response: HttpResponse) -> Accepted:
        raise_if_blocked(response)
        if response.status == 429:
            raise RefusedForNow("too many messages at once", retry_after(response))
        if response.status >= 500:
            return super().read_submit(response)
        answer = object_of(response)
        code = code_of(answer)
        if code == 200 and 200 <= response.status < 300:
            return Accepted(_reference(answer.get("body")))
        if code == 429:
            raise RefusedForNow("too many messages at once (code 429)", retry_after(response))
        if code in NOT_HERE:
            raise RefusedHere(f"the action is not there or not allowed to this account (code {code})")
        if code is not None and 400 <= code < 500 and code not in UNCLEAR:
            raise Refused(f"the message is refused (code {code})")
        return super().read_submit(response)

    def redact(self, text: str) -> str:
        return auth.without_tokens(text)


def check_template(written: str) -> None:
    """Raises ValidationError for parameters that cannot be filled, or not without harm."""
    try:
        template = json.loads(written, parse_constant=_no_number)
        used = {name for text in _texts(template) for name in _placeholders(text)}
    except (ValueError, RecursionError):
        raise ValidationError(_("This is not valid JSON.")) from None
    if not isinstance(template, dict):
        raise ValidationError(_('Give a JSON object: it begins with "{".'))
    if "text" not in used or not used & {"to", "to_no_plus"}:
        raise ValidationError(_("A message needs {{text}}, and {{to}} or {{to_no_plus}}."))


def _texts(value: Any) -> list[str]:
    """Every text in the template that is a value."""
    if isinstance(value, dict):
        for key in value:
            _refuse_braces(key)
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _placeholders(text: str) -> list[str]:
    """The placeholder that this text is, if it is one."""
    found = PLACEHOLDER.fullmatch(text)
    if found and found[1] in PLACEHOLDERS:
        return [found[1]]
    _refuse_braces(text)
    return []


def _refuse_braces(text: str) -> None:
    if "{{" in text or "}}" in text:
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        raise ValidationError(
            _("“%(text)s” cannot be filled: a placeholder is a whole value in quotes, one of %(known)s."),
            params={"text": text, "known": known},
        )


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The template with a value in place of each placeholder; it becomes JSON only afterwards, so none breaks out."""
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    found = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return values[found[1]] if found else value


def _no_number(name: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


def _reference(body: Any) -> str:
    found = body.get("id") if isinstance(body, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
