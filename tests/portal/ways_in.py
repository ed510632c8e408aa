"""Every way in to the API, for tests that call it by each: what a request carries that comes in as a user."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from portal import keys
from portal.api.authentication import tokens
from portal.models import ApiKey, ApiToken, User
from tests.conftest import PASSWORD


@dataclass(frozen=True)
class Signed:
    """Headers and parameters of the URL that say who calls."""

    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


Way = Callable[[User], Signed]


def login(user: User) -> Signed:
    """A token of `login`, as the documents show it."""
    return Signed({"Authorization": f"Bearer {_token(user)}"})


def bare_login(user: User) -> Signed:
    """The same without the word before it, as clients of PacketFence send it."""
    return Signed({"Authorization": _token(user)})


def envelope(user: User) -> Signed:
    """A token of the action envelope, which opens the whole API."""
    return Signed({"Authorization": f"Bearer {tokens.issue(user, None, ApiToken.Way.ENVELOPE)[1]}"})


def api_key(user: User) -> Signed:
    return Signed({"X-API-Key": _key(user)})


def api_key_in_url(user: User) -> Signed:
    return Signed(parameters={"apikey": _key(user)})


def basic(user: User) -> Signed:
    return _pair(user.username, PASSWORD)


def basic_with_key(user: User) -> Signed:
    """A key in the place of the password."""
    return _pair(user.username, _key(user))


def _pair(name: str, password: str) -> Signed:
    return Signed({"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"})


def _key(user: User) -> str:
    return keys.issue(user, f"program {ApiKey.objects.count() + 1}")[1]


def _token(user: User) -> str:
    token: str
    _row, token = ApiToken.objects.create(user=user)
    return token


#: The first one is tried with everything, the others with less.
WAYS: dict[str, Way] = {
    "login": login,
    "bare_login": bare_login,
    "envelope": envelope,
    "api_key": api_key,
    "api_key_in_url": api_key_in_url,
    "basic": basic,
    "basic_with_key": basic_with_key,
}
