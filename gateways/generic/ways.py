"""Which way in the form chose, where a login may have an address of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from gateways import auth
from gateways.auth import Settings, Token
from gateways.auth.way import with_header
from gateways.http import HttpRequest, HttpResponse

CHOICES = [
    ("none", _("none, or by placeholders only")),
    ("basic", _("login and password (Basic)")),
    ("bearer", _("API key as a bearer token")),
    ("api_key_query", _("API key in the address")),
    ("api_key_form", _("API key in the form")),
    ("api_key_header", _("API key in a header")),
    ("oauth2", _("client id and secret for a token (OAuth2)")),
    ("session", _("login and password for a session that is renewed")),
    ("login_token", _("login and password for a token")),
]
#: The settings that each of them needs.
NEEDS = {
    "basic": ("login", "password"),
    "bearer": ("api_key",),
    "api_key_query": ("api_key", "auth_name"),
    "api_key_form": ("api_key", "auth_name"),
    "api_key_header": ("api_key", "auth_name"),
    "oauth2": ("client_id", "client_secret", "auth_url"),
    "session": ("login", "password", "auth_url"),
    "login_token": ("login", "password", "auth_url"),
}


@dataclass(frozen=True)
class LoginElsewhere(auth.Way):
    """A login whose address `url` is no part of the one that messages go to; `header` is where its token stands."""

    way: auth.Way
    url: str
    header: str = ""
    logs_in = True

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        if token and self.header:
            return with_header(request, self.header, token.value)
        return self.way.sign(request, settings, token)

    def login(self, settings: Settings) -> HttpRequest:
        return self.way.login(self._there(settings))

    def read_login(self, settings: Settings, response: HttpResponse) -> Token:
        return self.way.read_login(self._there(settings), response)

    def refresh(self, settings: Settings, token: Token) -> HttpRequest | None:
        return self.way.refresh(self._there(settings), token)

    def read_refresh(self, settings: Settings, response: HttpResponse) -> Token:
        return self.way.read_refresh(self._there(settings), response)

    def ended(self, response: HttpResponse) -> bool:
        return self.way.ended(response)

    def _there(self, settings: Settings) -> dict[str, Any]:
        return {**settings, "url": self.url}


def of(settings: Mapping[str, Any]) -> auth.Way:
    """The way in that these settings choose."""
    name = settings.get("auth_name") or ""
    parts = urlsplit(settings.get("auth_url") or "")
    base, path = f"{parts.scheme}://{parts.netloc}", parts._replace(scheme="", netloc="").geturl()
    known: dict[str, auth.Way] = {
        "basic": auth.Basic(),
        "bearer": auth.Bearer(),
        "api_key_query": auth.ApiKey("query", name),
        "api_key_form": auth.ApiKey("form", name),
        "api_key_header": auth.ApiKey("header", name),
        "oauth2": LoginElsewhere(auth.OAuth2ClientCredentials(path), base, name),
        "session": LoginElsewhere(auth.Session(path), base, name),
        # How long the token lasts is not known; the provider says when it has ended.
        "login_token": LoginElsewhere(auth.LoginToken(path, idles=None, lasts=None), base, name),
    }
    return known.get(settings.get("auth") or "", auth.OPEN)
