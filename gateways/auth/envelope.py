"""The action envelope of Runtel PBX, and the login in it: https://doc-cp.runtel.ru/api/api_auth.html

Failed logins are counted there and block the host, so a refused one is told apart with care: an error may come as a
status or, under HTTP 200, as `code` in the body.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.auth.tokens import REFUSED, TokenWay, life, raise_unless_let_in, usable
from gateways.auth.way import Settings, Token
from gateways.http import HttpRequest, HttpResponse, join, object_of, post_json
from gateways.outcomes import CredentialsRefused, Unreadable

UNBLOCK = "The host of the portal may be blocked: unblock it in «Защитник» of the platform, then check the login."


@dataclass(frozen=True)
class ActionEnvelope(TokenWay):
    """The action `auth` gives a token, `logout` gives it back; no action renews it."""

    path: str = "/api/"

    def login(self, settings: Settings) -> HttpRequest:
        who = {"login": settings["login"], "password": settings["password"]}
        return post_json(join(settings["url"], self.path), envelope("auth", "User", who))

    def logout(self, settings: Settings, token: Token) -> HttpRequest | None:
        request = post_json(join(settings["url"], self.path), envelope("logout", "User", {}))
        return self.sign(request, settings, token)

    def read_token(self, response: HttpResponse) -> Token:
        raise_if_blocked(response)
        code = _code_in(response)
        if code is not None and code not in {200, 429} and code < 500:
            raise CredentialsRefused(f"the provider refuses the login (code {code})", UNBLOCK)
        if response.status in REFUSED or response.status == 400:
            raise CredentialsRefused(f"the provider refuses the login ({response.status})", UNBLOCK)
        raise_unless_let_in(response)
        if code is None:
            raise Unreadable("it has no code")
        if code != 200:
            raise CredentialsRefused(f"the provider refuses the login (code {code})", UNBLOCK)
        body = object_of(response).get("body")
        if not isinstance(body, dict):
            raise Unreadable("it has no body")
        return Token(usable(body.get("token")), lasts=_lasts(body, _time_there(response)))

    def ended(self, response: HttpResponse) -> bool:
        return response.status == 401 or _code_in(response) in {401, 403}


def envelope(action: str, obj: str, params: object, action_id: str = "") -> dict[str, object]:
    """The body of every request; the answer repeats `action_id`, by which both are found in the provider's log."""
    return {"action": action, "obj": obj, "action_id": action_id or _moment(), "params": params}


def code_of(answer: Mapping[str, Any]) -> int | None:
    """The envelope's own status, or None where it has none."""
    code = answer.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 5:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 100_000 else None


def _code_in(response: HttpResponse) -> int | None:
    with suppress(Unreadable):
        return code_of(object_of(response))
    return None


def raise_if_blocked(response: HttpResponse) -> None:
    """Raises CredentialsRefused for what a blocked host is answered: 403 and not a word."""
    if response.status == 403 and not response.body.strip():
        raise CredentialsRefused("the provider turns this host away (403)", UNBLOCK)


def _moment() -> str:
    return f"{datetime.now(UTC):portal-%Y%m%d%H%M%S%f}"


def _time_there(response: HttpResponse) -> datetime:
    """The provider's own time where it gives it: its clock and ours may differ."""
    try:
        there = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)
    return there if there.tzinfo else there.replace(tzinfo=UTC)


def _lasts(body: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds until the earliest moment that `exp` may mean: without a zone it is UTC's, or that of `tz`.

    A reading in the past is not the one meant, because nobody is given a dead token; None where no other is left.
    """
    ahead = [seconds for seconds in _readings(body, now) if seconds > 0]
    return life(min(ahead)) if ahead else None


def _readings(body: Mapping[str, Any], now: datetime) -> list[float]:
    try:
        exp = datetime.fromisoformat(body["exp"])
    except (KeyError, TypeError, ValueError):
        return []
    if exp.tzinfo:
        return [(exp - now).total_seconds()]
    found = []
    for name in ("UTC", str(body.get("tz"))):
        # An unknown zone is a KeyError, a name such as `Europe` or `../x` an OSError or a ValueError.
        with suppress(KeyError, OSError, ValueError, OverflowError):
            found.append((exp.replace(tzinfo=ZoneInfo(name)) - now).total_seconds())
    return found
