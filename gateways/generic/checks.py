"""What is wrong with a description of a provider, by field and with its remedy. Every check raises ValueError."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from gateways import fields
from gateways.generic import placeholders, rules, tables, templates, ways
from gateways.generic.paths import json_path
from gateways.generic.placeholders import ALL, IN_HEADERS, OF_ANY_MESSAGE
from gateways.outcomes import OutboundSms, ReceiptState, SentSms

#: What an error code may mean; see `outcomes.py`.
MEANINGS = ("refused", "refused_here", "refused_for_now", "gateway_fault", "credentials_refused")
#: Names under which providers want secrets; what stands there belongs into a setting that is encrypted and masked.
SECRET_NAME = re.compile(
    r"(?i)(?:.*[_-])?(?:authorization|cookie|api[_-]?key|api[_-]?id|password|passwd|pass|psw|pwd|token|secret)"
)
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")
RULES = ("ok", "fail", "reference", "error", "status")

SAMPLE = OutboundSms("portal-20261122090000-1", "+79161234567", "Sample", "Sample", datetime(2026, 11, 22, tzinfo=UTC))
SENT_SAMPLE = SentSms(SAMPLE.key, 1, SAMPLE.phone, "1001")


def _check_auth(given: Mapping[str, Any], name: str) -> None:
    missing = [setting for setting in ways.NEEDS.get(given[name], ()) if not given[setting]]
    if missing:
        raise ValidationError(dict.fromkeys(missing, gettext("The chosen way in needs it.")))
    if given[name] == "api_key_form" and given["content_type"] != "urlencoded":
        raise ValueError(
            gettext("Only a form has a field for the key: choose “a form” as the body, or another way in.")
        )
    if given["auth_name"] and given[name] != "api_key_query" and given[name] != "api_key_form":
        dict(templates.header_lines(f"{given['auth_name']}: value"))


def _check_address(given: Mapping[str, Any], name: str) -> None:
    template = given[name]
    if not template:
        return
    host = template.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0]
    if "{" in host or "}" in host or not host.isascii():
        raise ValueError(gettext("Write the host out in Latin letters: placeholders stand in the path and the query."))
    fields.is_address(placeholders.PLACEHOLDER.sub("x", template))
    if UNPRINTABLE.search(template):
        raise ValueError(gettext("Leave out blanks and line breaks."))
    named = parse_qsl(urlsplit(template).query, keep_blank_values=True)
    _check_template(given, template, named, _allowed(name))
    templates.address(template, _sample(given, name), given["encoding"])


def _check_headers(given: Mapping[str, Any], name: str) -> None:
    _check_template(given, given[name], templates.header_lines(given[name]), IN_HEADERS)
    templates.headers(given[name], _sample(given, name))


def _check_body(given: Mapping[str, Any], name: str) -> None:
    kind, template = given["content_type"], given[name]
    if not template and (name == "status_body" or given["method"] == "GET"):
        return
    if template and (kind == "none" or (name == "body" and given["method"] == "GET")):
        raise ValueError(
            gettext("A GET and an empty body have none: leave it out, or choose POST and what the body is.")
        )
    if kind in {"json", "xml"} or template:
        _check_template(given, template, templates.named(kind, template), _allowed(name))
        templates.body(kind, template, _sample(given, name), given["encoding"])


def _check_template(
    given: Mapping[str, Any], template: str, named: Iterable[tuple[str, str]], allowed: Collection[str]
) -> None:
    for asked in placeholders.names_in(template):
        if asked not in allowed:
            sentence = gettext("There is no placeholder {{%(name)s}} here; known: %(known)s.")
            raise ValueError(sentence % {"name": asked[:40], "known": ", ".join(sorted(allowed))})
        setting = placeholders.SETTINGS.get(asked)
        if setting and not given[setting]:
            raise ValueError(
                gettext("{{%(name)s}} is used: fill in %(setting)s.") % {"name": asked, "setting": setting}
            )
    if "{{" in placeholders.PLACEHOLDER.sub("", template):
        raise ValueError(gettext("A placeholder has no end: write it as {{text}}."))
    for name, value in named:
        if SECRET_NAME.fullmatch(name) and value and not placeholders.PLACEHOLDER.search(value):
            sentence = gettext(
                "Put the value of %(name)s into password or API key, and {{password}} or {{token}} here."
            )
            raise ValueError(sentence % {"name": name[:40]})


def _check_rules(given: Mapping[str, Any], name: str) -> None:
    found = rules.parse(given[name])
    if name in {"reference", "error", "status"} and not all(rule.tells for rule in found):
        raise ValueError(gettext("This needs a rule that finds something: json:, xpath: or regex:."))
    if name == "ok" and not found and not given["reference"]:
        raise ValueError(gettext("Say how a yes is known: a rule here, or where the answer has the provider's id."))
    if name == "status" and bool(found) != bool(given["status_url"]):
        raise ValueError(gettext("Give both the address of the state and where its answer has the state, or neither."))


def _check_statuses(given: Mapping[str, Any], name: str) -> None:
    if not tables.statuses(given[name]) and name == "ok_http":
        raise ValueError(gettext("Write the HTTP statuses of a yes, such as 200-299."))


def _check_errors(given: Mapping[str, Any], name: str) -> None:
    if tables.table(given[name], MEANINGS) and not given["error"]:
        raise ValueError(gettext("Say in “error” where the answer has its code."))


def _check_states(given: Mapping[str, Any], name: str) -> None:
    known = tables.table(given[name], list(ReceiptState))
    if not known and (given["status_url"] or given["callback_status"]):
        raise ValueError(gettext("Say what the provider's states mean, one in a line: “DELIVRD = delivered”."))


def _check_field(given: Mapping[str, Any], name: str) -> None:
    if given[name].startswith("$"):
        json_path(given[name])
    partner = PARTNERS[name]
    if given[name] and not given[partner]:
        raise ValueError(gettext("Give %(partner)s as well, or leave both out.") % {"partner": partner})


def _allowed(name: str) -> frozenset[str]:
    return OF_ANY_MESSAGE if name.startswith("status_") else ALL


def _sample(given: Mapping[str, Any], name: str) -> placeholders.Values:
    if name.startswith("status_"):
        return placeholders.of_sent(SENT_SAMPLE, given)
    return placeholders.of_message(SAMPLE, given, "https://portal.example.org/callbacks/1/key/")


PARTNERS = {
    "callback_id": "callback_status",
    "callback_status": "callback_id",
    "callback_from": "callback_text",
    "callback_text": "callback_from",
}

CHECKS: dict[str, Callable[[Mapping[str, Any], str], None]] = {
    "url": _check_address,
    "headers": _check_headers,
    "body": _check_body,
    "auth": _check_auth,
    "ok_http": _check_statuses,
    **dict.fromkeys(RULES, _check_rules),
    "error_map": _check_errors,
    "retry_http": _check_statuses,
    "status_url": _check_address,
    "status_body": _check_body,
    "status_map": _check_states,
    **dict.fromkeys(PARTNERS, _check_field),
}
