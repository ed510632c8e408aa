"""The exact request that a gateway would make for a message, shown without its secrets. Nothing is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateways.auth import Token
from gateways.http import HttpRequest, HttpResponse, text_of
from gateways.outcomes import NotAccepted, OutboundSms
from gateways.provider import BaseProvider
from gateways.spellings import SHORTEST_SECRET, spellings_of

MASK = "*" * 8
#: Stands for a secret while the request is built; no escaping changes it, and no provider would say it.
STAND_IN = "k7Qx9Zv2Wm4Tb8Rc"
#: What is made of a login and a password cannot be told from them, so it goes as a whole.
BASIC = re.compile(r"(?i)\A(basic )\s*\S+")


@dataclass(frozen=True)
class Preview:
    """A request as it may be shown; the text of the message is in it, and is the caller's own sample."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


def preview(provider: BaseProvider, sms: OutboundSms) -> Preview:
    """The request for this message, signed. Raises whatever the provider's `submit` raises."""
    try:
        request = _signed(_without_secrets(provider), sms)
    except NotAccepted:
        raise
    except Exception:  # noqa: BLE001 — a secret may need a form of its own, which the stand-in has not
        request = _signed(provider, sms)
    hidden = sorted({form for secret in _secrets(provider) for form in spellings_of(secret)}, key=len, reverse=True)

    def shown(written: str) -> str:
        for form in hidden:
            written = written.replace(form, MASK)
        return written

    headers = {name.lower(): value for name, value in request.headers.items()}
    return Preview(
        request.method,
        shown(request.url),
        {name: shown(BASIC.sub(rf"\g<1>{MASK}", value)) for name, value in headers.items()},
        shown(text_of(HttpResponse(200, headers, request.body))),
    )


def _signed(provider: BaseProvider, sms: OutboundSms) -> HttpRequest:
    token = Token(STAND_IN) if provider.way.logs_in else None
    return provider.way.sign(provider.submit(sms), provider.settings, token)


def _without_secrets(provider: BaseProvider) -> BaseProvider:
    settings = {
        name: STAND_IN if value and name in provider.secrets else value for name, value in provider.settings.items()
    }
    return type(provider)(settings, provider.sender, provider.gateway, provider.callback_url)


def _secrets(provider: BaseProvider) -> list[str]:
    given = [str(provider.settings.get(name) or "") for name in provider.secrets]
    return [STAND_IN, *(secret for secret in given if len(secret) >= SHORTEST_SECRET)]
