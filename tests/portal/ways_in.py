"""Every way in to the API, for tests that call it by each: what a request carries that comes in as a user."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken, set_token_value
from oauthlib.common import generate_token

from portal import clients, keys, sessions
from portal.api.authentication import tokens
from portal.models import ApiKey, ApiToken, User
from tests.conftest import PASSWORD

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """Headers and parameters of the URL that say who calls."""

    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


Way = Callable[[User], Signed]


def login(user: User) -> Signed:
    """A token of `login`, as the documents show it."""
    return _bearer(_token(user))


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


def session(user: User) -> Signed:
    """A token of a session, as Mobile SMARTS has it."""
    row, token = _access_token(user, sessions.anybody())
    renewing = RefreshToken(user=user, application=row.application, access_token=row, token_family=uuid4())
    set_token_value(renewing, generate_token())
    renewing.save()
    sessions.note_begun(renewing, user, None)
    return _bearer(token)


def oauth2_client(user: User) -> Signed:
    """A token of a client that acts as the user."""
    return _bearer(_access_token(user, clients.make("program", user)[0])[1])


def _access_token(user: User, client: Application) -> tuple[AccessToken, str]:
    """As the portal gives one; Django's client, which could ask for it, would close the test's connection."""
    row, token = AccessToken(user=user, application=client, expires=timezone.now() + DAY, scope="api"), generate_token()
    set_token_value(row, token)
    row.save()
    return row, token


def _bearer(token: str) -> Signed:
    return Signed({"Authorization": f"Bearer {token}"})


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
    "session": session,
    "oauth2_client": oauth2_client,
}
