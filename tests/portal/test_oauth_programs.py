"""Programs that nobody here wrote: authlib as an OAuth2 client, and curl with what Mobile SMARTS prints."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.utils import timezone
from oauth2_provider.models import AccessToken
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from portal import clients
from portal.models import ApiSession, User
from tests.conftest import PASSWORD
from tests.portal.token_calls import LIST

PLAIN = "correct-horse-battery-staple"


@pytest.fixture
def terminal(transactional_db: None, operator: User) -> User:
    """Whose name and password can be written into a form as they are."""
    operator.username = "user@domain.ru"
    operator.set_password(PLAIN)
    operator.save()
    return operator


def curl(*arguments: str) -> tuple[int, Any]:
    """Status and body."""
    command = ["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *arguments]
    body, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
    return int(status), json.loads(body)


class TestAuthlib:
    def test_it_comes_by_client_credentials(self, live_server: LiveServer, operator: User) -> None:
        client, secret = clients.make("Monitoring", operator)
        with OAuth2Session(client.client_id, secret) as caller:
            token = caller.fetch_token(f"{live_server.url}/oauth2/token", grant_type="client_credentials")
            answer = caller.get(live_server.url + LIST)
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
        assert answer.status_code == 200

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    def test_it_shows_its_secret_either_way(self, live_server: LiveServer, operator: User, method: str) -> None:
        client, secret = clients.make("Monitoring", operator)
        with OAuth2Session(client.client_id, secret, token_endpoint_auth_method=method) as caller:
            assert caller.fetch_token(f"{live_server.url}/oauth2/token", grant_type="client_credentials")

    def test_a_wrong_secret_is_the_error_it_knows(self, live_server: LiveServer, operator: User) -> None:
        client, _secret = clients.make("Monitoring", operator)
        with OAuth2Session(client.client_id, "wrong") as caller, pytest.raises(OAuthError) as refused:
            caller.fetch_token(f"{live_server.url}/oauth2/token", grant_type="client_credentials")
        assert refused.value.error == "invalid_client"

    @pytest.mark.parametrize("path", ["/api/v1/session", "/oauth/token"])
    def test_it_renews_its_session_by_itself(self, live_server: LiveServer, operator: User, path: str) -> None:
        url = live_server.url + path
        renewed: list[dict[str, Any]] = []

        def note(token: dict[str, Any], **_: Any) -> None:
            renewed.append(token)

        with OAuth2Session("terminal", token_endpoint=url, update_token=note) as caller:
            first = dict(caller.fetch_token(url, username="operator", password=PASSWORD))
            assert caller.get(live_server.url + LIST).status_code == 200
            # As if its day were over.
            AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
            caller.token = {**first, "expires_at": 1}
            assert caller.get(live_server.url + LIST).status_code == 200
        assert len(renewed) == 1
        assert renewed[0]["refresh_token"] != first["refresh_token"]
        assert ApiSession.objects.count() == 1


@pytest.mark.parametrize("path", ["/oauth/token", "/api/session", "/api/v1/session"])
def test_curl_signs_in_renews_and_calls_as_mobile_smarts_prints_it(
    live_server: LiveServer, terminal: User, path: str
) -> None:
    """Source: «Авторизация в системе через REST API», «Авторизация методом POST» to «Вызов функций»; its `Host:
    …/api/session` is the address, where `/oauth/token` is not."""
    form = ("-H", "Content-Type: application/x-www-form-urlencoded")
    asked = f"grant_type=password&client_id=123&client_secret=user&username=user@domain.ru&password={PLAIN}"
    status, found = curl(live_server.url + path, *form, "-d", asked)
    assert (status, found["Token_type"], found["Expires_in"]) == (200, "bearer", 86400)
    asked = f"grant_type=refresh_token&client_id=123&client_secret=user&refresh_token={found['Refresh_token']}"
    status, renewed = curl(live_server.url + path, *form, "-d", asked)
    assert status == 200
    assert {found["Access_token"], found["Refresh_token"]}.isdisjoint(renewed.values())
    token = f"Authorization: Bearer {renewed['Access_token']}"
    assert curl(live_server.url + LIST, "-H", token)[0] == 200
    assert curl(live_server.url + LIST)[0] == 401


def test_curl_signs_in_by_the_address_where_that_is_open(
    live_server: LiveServer, terminal: User, settings: Settings
) -> None:
    """Source: the same, «Авторизация методом GET»."""
    url = f"{live_server.url}/api/v1/session?username=user@domain.ru&password={PLAIN}"
    assert curl(url)[0] == 404
    settings.API_WAYS_IN = [*settings.API_WAYS_IN, "password_in_url"]
    status, found = curl(url)
    assert (status, found["Token_type"]) == (200, "bearer")


@pytest.mark.parametrize("spelled", [lambda pair: ("-u", pair), lambda pair: ("-H", f"Authorization: Basic {pair}")])
def test_curl_brings_the_password_with_every_call(
    live_server: LiveServer, terminal: User, spelled: Callable[[str], tuple[str, str]]
) -> None:
    """Source: the same, «BASIC авторизация»: Base64, or as it is."""
    assert curl(live_server.url + LIST, *spelled(f"user@domain.ru:{PLAIN}"))[0] == 200


def test_requests_come_with_another_programs_client(live_server: LiveServer, terminal: User) -> None:
    """A session of a client that was set up is no one else's."""
    client, secret = clients.make("Terminals")
    form = {"grant_type": "password", "username": "user@domain.ru", "password": PLAIN}
    pair = {"client_id": client.client_id, "client_secret": secret}
    found = requests.post(f"{live_server.url}/oauth/token", form | pair, timeout=30).json()
    again = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    assert requests.post(f"{live_server.url}/oauth/token", again, timeout=30).status_code == 400
    assert requests.post(f"{live_server.url}/oauth/token", again | pair, timeout=30).status_code == 200
