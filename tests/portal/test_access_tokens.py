"""Calls with the tokens of sessions and OAuth2 clients: who acts, how they end, and what is told of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken
from pytest_django import Settings
from rest_framework.test import APIClient

from portal import clients, keys, sessions
from portal.models import ApiSession, RefusedTry, User
from tests.conftest import PASSWORD
from tests.portal.token_calls import LIST, basic, begin, come, renew, use

INFO, LOGOUT = "/api/v1/token_info", "/api/v1/logout"


def logout(authorization: str) -> Any:
    return APIClient().post(LOGOUT, HTTP_AUTHORIZATION=authorization)


@pytest.fixture
def session(operator: User) -> dict[str, Any]:
    found: dict[str, Any] = begin().json()
    return found


@pytest.fixture
def of_client(operator: User) -> str:
    client, secret = clients.make("Monitoring", operator)
    return str(come(client.client_id, secret).json()["access_token"])


@pytest.mark.parametrize("presented", ["A" * 30, "я" * 30, "A" * 29, "A" * 31, "a" * 5000, "321321321"])
def test_an_unknown_one_is_401_and_a_guess(db: None, presented: str) -> None:
    answer = use(presented)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert RefusedTry.objects.get().way == "token"


def test_without_one_it_is_401(db: None) -> None:
    assert APIClient().get(LIST).status_code == 401


def test_rights_are_asked_as_everywhere(session: dict[str, Any]) -> None:
    answer = use(session["access_token"], "/api/v1/messages")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Unauthorized access, lacking the MESSAGES_READ administrative role"


def test_it_may_stand_alone_in_its_header(session: dict[str, Any]) -> None:
    assert APIClient().get(LIST, HTTP_AUTHORIZATION=session["access_token"]).status_code == 200
    assert APIClient().get(LIST, HTTP_AUTHORIZATION=f"bearer {session['access_token']}").status_code == 200


def test_a_token_that_has_ended_is_no_guess(session: dict[str, Any], of_client: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1), tick=False):
        assert [use(token).status_code for token in (session["access_token"], of_client)] == [401, 401]
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda: User.objects.update(is_active=False),
        lambda: User.objects.update(expires_at=timezone.now()),
        lambda: User.objects.update(password_opens_api=False),
        lambda: User.objects.update(password="another"),
        lambda: sessions.end(ApiSession.objects.get()),
        lambda: AccessToken.objects.all().delete(),
        lambda: User.objects.all().delete(),
    ],
    ids=["switched off", "over", "no more by password", "another password", "ended", "deleted", "user deleted"],
)
def test_what_is_taken_away_is_gone_with_the_next_call(session: dict[str, Any], change: Callable[[], object]) -> None:
    assert use(session["access_token"]).status_code == 200
    change()
    assert use(session["access_token"]).status_code == 401


def test_a_right_is_gone_with_the_next_call(session: dict[str, Any], operator: User) -> None:
    assert use(session["access_token"]).status_code == 200
    operator.groups.clear()
    assert use(session["access_token"]).status_code == 403


def test_a_closed_way_refuses_its_tokens_and_no_others(
    session: dict[str, Any], of_client: str, settings: Settings
) -> None:
    settings.API_WAYS_IN = ["oauth2"]
    assert [use(token).status_code for token in (session["access_token"], of_client)] == [401, 200]
    settings.API_WAYS_IN = ["session"]
    assert [use(token).status_code for token in (session["access_token"], of_client)] == [200, 401]
    assert not RefusedTry.objects.exists()


def test_its_use_is_noted_now_and_then(session: dict[str, Any]) -> None:
    before = ApiSession.objects.get().last_used
    with time_machine.travel(before + timedelta(seconds=10), tick=False):
        use(session["access_token"])
    assert ApiSession.objects.get().last_used == before
    with time_machine.travel(before + timedelta(seconds=30), tick=False):
        use(session["access_token"])
    assert ApiSession.objects.get().last_used == before + timedelta(seconds=30)


class TestLogout:
    def test_it_ends_a_session_with_what_would_renew_it(self, session: dict[str, Any]) -> None:
        answer = logout(f"Bearer {session['access_token']}")
        assert (answer.status_code, answer.json()["message"]) == (200, "Logged out")
        assert use(session["access_token"]).status_code == 401
        assert renew(session["refresh_token"]).status_code == 400
        assert ApiSession.objects.get().ended_at is not None
        assert not RefusedTry.objects.exists()

    def test_it_ends_the_token_of_a_client(self, of_client: str) -> None:
        assert logout(f"Bearer {of_client}").status_code == 200
        assert use(of_client).status_code == 401
        assert not RefusedTry.objects.exists()

    def test_there_is_nothing_to_end_of_a_key_or_a_password(self, operator: User) -> None:
        key = keys.issue(operator, "monitoring")[1]
        for authorization in (f"Bearer {key}", basic("operator", PASSWORD)):
            answer = logout(authorization)
            assert (answer.status_code, answer.json()["message"]) == (
                409,
                "Only a token can be logged out.",
            )
        assert use(key).status_code == 200


class TestTokenInfo:
    def test_it_tells_of_a_session(self, session: dict[str, Any]) -> None:
        item = use(session["access_token"], INFO).json()["item"]
        assert (item["username"], item["way"]) == ("operator", "session")
        assert datetime.fromisoformat(item["expires_at"]) == AccessToken.objects.get().expires

    def test_asked_so_it_uses_nothing(self, session: dict[str, Any]) -> None:
        before = ApiSession.objects.get().last_used
        with time_machine.travel(before + timedelta(minutes=5), tick=False):
            assert use(session["access_token"], f"{INFO}?no-expiration-extension=1").status_code == 200
            assert ApiSession.objects.get().last_used == before

    def test_it_tells_of_a_client(self, of_client: str) -> None:
        item = use(of_client, INFO).json()["item"]
        assert (item["username"], item["way"]) == ("operator", "oauth2")

    def test_it_tells_of_a_key_and_its_narrower_rights(self, operator: User) -> None:
        key = keys.issue(operator, "monitoring", rights=["SMS_GATEWAY_READ"])[1]
        for answer in (use(key, INFO), APIClient().get(INFO, HTTP_X_API_KEY=key)):
            item = answer.json()["item"]
            assert (item["way"], item["expires_at"]) == ("api_key", None)
            assert item["admin_actions"] == ["SMS_GATEWAY_READ"]

    @pytest.mark.parametrize("presented", ["A" * 30, "gsp_" + "A" * 43])
    def test_of_an_unknown_one_it_tells_nothing(self, db: None, presented: str) -> None:
        assert use(presented, INFO).status_code == 404
        assert RefusedTry.objects.count() == 1


class TestHousekeeping:
    def test_sessions_and_tokens_are_forgotten_a_day_after_their_end(
        self, session: dict[str, Any], of_client: str
    ) -> None:
        renew(session["refresh_token"])
        with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
            assert sessions.drop_old_tokens() == 0
        with time_machine.travel(timezone.now() + timedelta(hours=26), tick=False):
            assert sessions.drop_old_tokens() == 1
        assert AccessToken.objects.count() == 1
        with time_machine.travel(timezone.now() + timedelta(days=33), tick=False):
            assert sessions.drop_old_tokens() == 1
        assert not AccessToken.objects.exists()
        assert not RefreshToken.objects.exists()
        assert not ApiSession.objects.exists()

    def test_a_renewed_token_is_known_as_long_as_it_could_have_been_used(self, session: dict[str, Any]) -> None:
        """Also in a session that goes on."""
        last = renew(session["refresh_token"]).json()
        with time_machine.travel(timezone.now() + timedelta(days=25), tick=False):
            last = renew(last["refresh_token"]).json()
            assert sessions.drop_old_tokens() == 0
        with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
            assert sessions.drop_old_tokens() == 1
            assert RefreshToken.objects.count() == 2
            assert renew(last["refresh_token"]).status_code == 200

    def test_an_ended_session_is_forgotten_after_a_day(self, session: dict[str, Any]) -> None:
        sessions.end(ApiSession.objects.get())
        assert sessions.drop_old_tokens() == 0
        with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
            assert sessions.drop_old_tokens() == 1
