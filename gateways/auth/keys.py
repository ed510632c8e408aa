"""Ways in without a login: the secret itself goes with every request."""

from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

from gateways.auth.way import Settings, Token, Way, with_header
from gateways.http import FORM, HttpRequest, with_query


@dataclass(frozen=True)
class ApiKey(Way):
    """A key under its name in the query, the form or a header; `prefix` stands before it.

    A request without a form has no place for a field of one: there the key goes into the query.
    """

    place: Literal["query", "form", "header"]
    name: str
    prefix: str = ""
    setting: str = "api_key"

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        value = f"{self.prefix}{settings[self.setting]}"
        if self.place == "header":
            return with_header(request, self.name, value)
        if self.place == "form" and _has_form(request):
            field = urlencode({self.name: value}).encode()
            return replace(request, body=b"&".join(filter(None, (request.body, field))))
        return replace(request, url=with_query(request.url, {self.name: value}))


@dataclass(frozen=True)
class Basic(Way):
    """Login and password in every request, as RFC 7617 spells them in UTF-8; given are the names of the settings."""

    login_setting: str = "login"
    password_setting: str = "password"

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        pair = f"{settings[self.login_setting]}:{settings[self.password_setting]}"
        return with_header(request, "authorization", f"Basic {b64encode(pair.encode()).decode()}")


@dataclass(frozen=True)
class Bearer(Way):
    """A token that the provider gave once and for all."""

    setting: str = "api_key"

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        return with_header(request, "authorization", f"Bearer {settings[self.setting]}")


def _has_form(request: HttpRequest) -> bool:
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    return kind.lower().startswith(FORM)
