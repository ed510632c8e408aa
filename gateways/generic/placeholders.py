"""What a template may ask for in double braces, and where it is taken from."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _

from gateways.outcomes import OutboundSms, SentSms

PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")

#: What a question after a message's state can say of it.
OF_ANY_MESSAGE = frozenset({"id", "to", "to_no_plus", "to_national", "login", "password", "token"})
#: What a message being handed over has as well.
ALL = OF_ANY_MESSAGE | {"text", "text_hex", "sender", "schedule_unix", "schedule_iso", "callback_url", "parts"}
#: A text has line breaks, and in a header those would begin another one.
IN_HEADERS = ALL - {"text"}
#: Which setting a placeholder is filled from.
SETTINGS = {"login": "login", "password": "password", "token": "api_key"}

Values = Mapping[str, str]


class Unknown(ValueError):
    """A placeholder that does not exist; its text names it."""


def names_in(template: str) -> list[str]:
    """The placeholders of a template in their order."""
    return [found.strip() for found in PLACEHOLDER.findall(template)]


def fill(template: str, values: Values, spell: Callable[[str], str]) -> str:
    """The template with each placeholder's value as its place spells it. What a value holds is not filled again.

    Raises Unknown.
    """

    def value_of(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in values:
            raise Unknown(_("There is no placeholder {{%(name)s}}.") % {"name": name[:40]})
        return spell(values[name])

    return PLACEHOLDER.sub(value_of, template)


def of_message(sms: OutboundSms, settings: Mapping[str, Any], callback_url: str) -> Values:
    """For handing a message over. The portal keeps a message until its time, so the schedule is now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        **_of_anybody(sms.key, sms.phone, settings),
        "text": sms.text,
        "text_hex": sms.text.encode("utf-16-be").hex(),
        "sender": sms.sender,
        "schedule_unix": str(int(now.timestamp())),
        "schedule_iso": now.isoformat(),
        "callback_url": callback_url,
        "parts": str(sms.parts),
    }


def of_sent(sms: SentSms, settings: Mapping[str, Any]) -> Values:
    """For asking after a message: its id is the provider's, or ours where the provider gave none."""
    known = _of_anybody(sms.reference or sms.key, sms.phone, settings)
    # Headers are the same for every request, and may ask for what is only known when a message is handed over.
    return {**dict.fromkeys(ALL, ""), **known}


def _of_anybody(identity: str, phone: str, settings: Mapping[str, Any]) -> dict[str, str]:
    spelled = {"plus": phone, "digits": phone.lstrip("+"), "national": _national(phone)}
    return {
        "id": identity,
        "to": spelled[settings.get("phone_format") or "plus"],
        "to_no_plus": spelled["digits"],
        "to_national": spelled["national"],
        **{name: str(settings.get(setting) or "") for name, setting in SETTINGS.items()},
    }


def _national(phone: str) -> str:
    """As it is dialled at home, in digits: 89161234567."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone.lstrip("+")
    return re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
