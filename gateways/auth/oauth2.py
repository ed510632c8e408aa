"""OAuth2 client credentials: client id and secret for a token. RFC 6749, section 4.4."""

from base64 import b64encode
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote_plus

from gateways.auth.tokens import TokenWay, life, raise_if_refused, raise_unless_let_in, usable
from gateways.auth.way import Settings, Token
from gateways.http import HttpRequest, HttpResponse, join, object_of, post_form
from gateways.outcomes import Unreadable


@dataclass(frozen=True)
class OAuth2ClientCredentials(TokenWay):
    """`path` is below the gateway's `url`, or an address of its own; `ends` as the provider answers an old token.

    The pair goes in the form, or with `in_header` as Basic, which RFC 6749 prefers and fewer providers take.
    """

    path: str = "/oauth2/token"
    ends: Collection[int] = frozenset({401})
    scope: str = ""
    in_header: bool = False

    def login(self, settings: Settings) -> HttpRequest:
        fields = {"grant_type": "client_credentials", "scope": self.scope or None}
        pair = {"client_id": settings["client_id"], "client_secret": settings["client_secret"]}
        address = self.path if "://" in self.path else join(settings["url"], self.path)
        if not self.in_header:
            return post_form(address, {**fields, **pair})
        spelled = ":".join(map(quote_plus, pair.values()))
        return post_form(address, fields, {"authorization": f"Basic {b64encode(spelled.encode()).decode()}"})

    def read_token(self, response: HttpResponse) -> Token:
        if response.status < 500:
            with suppress(Unreadable):
                raise_if_refused(object_of(response))
        raise_unless_let_in(response)
        answer = object_of(response)
        value = usable(answer.get("access_token") or answer.get("token"))
        return Token(value, lasts=life(answer.get("expires_in")))
