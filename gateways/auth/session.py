"""Session with login, password and a refresh token, as Mobile SMARTS has it: https://www.cleverence.ru/support/44273/

Its documentation prints answers that are no JSON (`Access_token:"…",}`) and keys in a casing that may not be the real
one, so both are read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from gateways.auth.tokens import TokenWay, life, raise_if_refused, raise_unless_let_in, usable
from gateways.auth.way import Settings, Token
from gateways.http import HttpRequest, HttpResponse, get, join, object_of, post_form, text_of
from gateways.outcomes import CredentialsRefused, GatewayFault, Unreadable

#: Errors have no documented form; a session that is asked for in vain is a refused one.
REFUSED = frozenset({400, 401, 403})
#: A key with or without quotes and its value; nothing in it is tried twice, so that no answer takes long.
PAIR = re.compile(r'(?<!\w)(\w++)"?+\s*+:\s*+(?:"([^"]*+)"|(\d++))')


@dataclass(frozen=True)
class Session(TokenWay):
    """`path` is below the gateway's `url`: `/api/v1/session`, `/api/session` or `/oauth/token`.

    With the method GET the password is in the address, where logs keep it; POST is the better one.
    """

    path: str = "/api/v1/session"
    method: Literal["post", "get"] = "post"

    def login(self, settings: Settings) -> HttpRequest:
        who = {"username": settings["login"], "password": settings["password"]}
        if self.method == "get":
            return get(join(settings["url"], self.path), who)
        return self._post(settings, grant_type="password", **_client(settings), **who)

    def refresh(self, settings: Settings, token: Token) -> HttpRequest | None:
        if not token.refresh:
            return None
        return self._post(settings, grant_type="refresh_token", **_client(settings), refresh_token=token.refresh)

    def read_refresh(self, settings: Settings, response: HttpResponse) -> Token:
        try:
            return self.read_login(settings, response)
        except CredentialsRefused:
            raise
        except GatewayFault as fault:
            # A server that takes a session by GET alone cannot renew one, and is well otherwise.
            raise CredentialsRefused(fault.reason, fault.remedy) from None

    def read_token(self, response: HttpResponse) -> Token:
        raise_unless_let_in(response, REFUSED)
        answer = _read(response)
        raise_if_refused(answer)
        value = usable(answer.get("accesstoken") or answer.get("token"))
        again = answer.get("refreshtoken")
        return Token(value, usable(again) if again else "", life(answer.get("expiresin")))

    def _post(self, settings: Settings, **fields: str | None) -> HttpRequest:
        return post_form(join(settings["url"], self.path), fields)


def _client(settings: Settings) -> dict[str, str | None]:
    """Printed in the documentation's example; left out where there is none."""
    return {key: settings.get(key) or None for key in ("client_id", "client_secret")}


def _read(response: HttpResponse) -> dict[str, Any]:
    """What the answer says, with keys in lower case and without `_`; of two casings of a key the one with a value."""
    found: Iterable[tuple[str, Any]]
    try:
        found = object_of(response).items()
    except Unreadable:
        found = _pairs(text_of(response))
    return {name.lower().replace("_", ""): value for name, value in found if value not in (None, "")}


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    if not text.lstrip().startswith("{"):
        raise Unreadable("it is neither JSON nor as documented")
    return [(name, quoted or digits) for name, quoted, digits in PAIR.findall(text)]
