"""Calls that ask for tokens, and calls with them."""

import base64
from typing import Any
from urllib.parse import urlencode

from rest_framework.test import APIClient

from portal import clients
from portal.models import OAuthClient, User
from tests.conftest import PASSWORD

SESSION, CLIENT = "/api/v1/session", "/oauth2/token"
FORM = "application/x-www-form-urlencoded"
LIST = "/api/v1/sms_gateways"


def ask(url: str, **fields: str) -> Any:
    """A form as RFC 6749 has it."""
    return APIClient().post(url, urlencode(fields), content_type=FORM)


def begin(username: str = "operator", password: str = PASSWORD, *, url: str = SESSION, **fields: str) -> Any:
    """A name and a password for two tokens."""
    return ask(url, grant_type="password", username=username, password=password, **fields)


def renew(refresh_token: str, *, url: str = SESSION, **fields: str) -> Any:
    """The one token for two others."""
    return ask(url, grant_type="refresh_token", refresh_token=refresh_token, **fields)


def come(client_id: str, client_secret: str, **fields: str) -> Any:
    """A client's id and secret for a token."""
    return ask(CLIENT, grant_type="client_credentials", client_id=client_id, client_secret=client_secret, **fields)


def token_of(client: OAuthClient, secret: str, address: str = "127.0.0.1") -> str:
    """What a client is given that asks from this address."""
    fields = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
    answer = APIClient().post(CLIENT, fields, format="json", REMOTE_ADDR=address)
    assert answer.status_code == 200, answer.json()
    return str(answer.json()["access_token"])


def by_client(user: User, **given: Any) -> APIClient:
    """Whoever calls with a token of a new client of this user."""
    token = token_of(*clients.make("program", user, **given))
    return APIClient(headers={"authorization": f"Bearer {token}"})


def use(token: str, url: str = LIST, *, address: str = "127.0.0.1") -> Any:
    """A call with the token, from this address."""
    return APIClient().get(url, HTTP_AUTHORIZATION=f"Bearer {token}", REMOTE_ADDR=address)


def basic(name: str, password: str) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
