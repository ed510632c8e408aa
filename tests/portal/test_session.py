"""POST session, as Mobile SMARTS has it: a password for two tokens, and one of them for the next two."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
from pytest_django import Settings
from rest_framework.test import APIClient

from portal import clients, sessions
from portal.models import ApiSession, AuditEvent, RefusedTry, User, WatchedHost
from tests.conftest import PASSWORD
from tests.portal.token_calls import FORM, SESSION, basic, begin, renew, use

URLS = ["/api/v1/session", "/api/v1/session/", "/api/session", "/api/session/", "/oauth/token", "/oauth/token/"]
BAD = {"error": "invalid_grant", "message": "Wasn't able to authenticate those credentials"}
SPENT = {
    "error": "invalid_grant",
    "message": "This token renews nothing: it is unknown, was used before, or has ended. Sign in again.",
}


@pytest.mark.parametrize("url", URLS)
def test_it_answers_both_tokens_under_both_spellings(operator: User, url: str) -> None:
    answer = begin(url=url, client_id="123", client_secret="user")
    found = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    names = ["Access_token", "Token_type", "Expires_in", "Refresh_token"]
    assert list(found) == names + [name.lower() for name in names]
    assert all(found[name] == found[name.lower()] for name in names)
    assert (found["Token_type"], found["Expires_in"]) == ("bearer", 86400)
    assert use(found["Access_token"]).status_code == 200


def test_a_json_body_is_as_good_as_a_form(operator: User) -> None:
    body = {"grant_type": "password", "username": "operator", "password": PASSWORD}
    assert APIClient().post(SESSION, body, format="json").status_code == 200


def test_names_that_are_not_ascii_may_be_written_as_they_are(operator: User) -> None:
    User.objects.update(username="терминал")
    body = f"grant_type=password&username=терминал&password={PASSWORD.replace(' ', '+')}".encode()
    assert APIClient().post(SESSION, body, content_type=FORM).status_code == 200


def test_no_token_is_stored(operator: User) -> None:
    found = begin().json()
    stored = str([vars(row) for model in (AccessToken, RefreshToken, ApiSession) for row in model.objects.all()])
    assert found["access_token"] not in stored
    assert found["refresh_token"] not in stored


def test_it_notes_who_when_and_from_where(operator: User) -> None:
    begin()
    session = ApiSession.objects.get()
    assert (session.user, session.address, session.last_address) == (operator, "127.0.0.1", "127.0.0.1")
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.status) == ("session", operator, 200)
    assert event.request["password"] == "*" * 24


@pytest.mark.parametrize(("name", "password"), [("operator", "wrong"), ("stranger", PASSWORD)])
def test_a_wrong_name_or_password_is_401_and_counted(operator: User, name: str, password: str) -> None:
    answer = begin(name, password)
    assert (answer.status_code, answer.json()) == (401, BAD)
    assert RefusedTry.objects.get().way == "password"
    assert not AccessToken.objects.exists()


def test_whoever_guesses_passwords_is_blocked(operator: User) -> None:
    codes = [begin("operator", f"wrong {number}").status_code for number in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]
    assert WatchedHost.objects.blocked().exists()


def test_an_account_that_the_api_does_not_let_in_is_403(operator: User) -> None:
    User.objects.update(password_opens_api=False)
    answer = begin()
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=password", "invalid_request"),
        ("grant_type=password&username=operator", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=", "invalid_request"),
        ("grant_type=password&username=a&username=b&password=c", "invalid_request"),
        ("grant_type=password&username=%00&password=c", "invalid_request"),
        ("grant_type=password&username=%ff&password=c", "invalid_request"),
        ("&".join(f"field{number}=x" for number in range(60)), "invalid_request"),
        ('{"grant_type": 1}', "invalid_request"),
        ("{", "invalid_request"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=a&client_secret=b", "unsupported_grant_type"),
        ("grant_type=password&username=operator&password=c&scope=everything", "invalid_grant"),
    ],
)
def test_what_is_no_request_says_why(operator: User, body: str, error: str) -> None:
    answer = APIClient().post(SESSION, body, content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (401 if error == "invalid_grant" else 400, error)
    assert answer.json()["message"]
    assert not AccessToken.objects.exists()


def test_an_unknown_scope_is_refused(operator: User) -> None:
    assert begin(scope="everything").json()["error"] == "invalid_scope"
    assert begin(scope="api").status_code == 200


def test_a_password_in_the_address_of_a_post_is_not_looked_at(operator: User) -> None:
    answer = APIClient().post(
        f"{SESSION}?username=operator&password={PASSWORD}", "grant_type=password", content_type=FORM
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert not RefusedTry.objects.exists()


def test_pages_of_others_cannot_sign_in(operator: User) -> None:
    answer = APIClient().post(SESSION, "grant_type=password", content_type=FORM, HTTP_ORIGIN="https://evil.example")
    assert answer.status_code == 403


@pytest.mark.parametrize("url", URLS)
def test_a_closed_way_is_an_unknown_path(operator: User, settings: Settings, url: str) -> None:
    settings.API_WAYS_IN = ["login", "password_in_url"]
    answers = [begin("operator", "wrong", url=url), APIClient().get(f"{url}?username=operator&password=wrong")]
    expected = {404} if "oauth" not in url else {404, 405}
    assert {answer.status_code for answer in answers} <= expected
    assert not RefusedTry.objects.exists()


class TestRenewing:
    def test_both_tokens_become_new(self, operator: User) -> None:
        first = begin().json()
        second = renew(first["refresh_token"]).json()
        assert len({first["access_token"], second["access_token"]}) == 2
        assert len({first["refresh_token"], second["refresh_token"]}) == 2
        assert second["Expires_in"] == 86400
        assert use(second["access_token"]).status_code == 200
        assert use(first["access_token"]).status_code == 401
        assert ApiSession.objects.count() == 1

    def test_the_late_use_of_the_token_before_is_no_guess(self, operator: User) -> None:
        first = begin().json()
        renew(first["refresh_token"])
        assert use(first["access_token"]).status_code == 401
        assert not RefusedTry.objects.exists()

    def test_a_token_that_comes_twice_ends_the_whole_session(self, operator: User) -> None:
        first = begin().json()
        second = renew(first["refresh_token"]).json()
        third = renew(second["refresh_token"]).json()
        with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=False):
            again = renew(first["refresh_token"])
        assert (again.status_code, again.json()) == (400, SPENT)
        assert [use(found["access_token"]).status_code for found in (first, second, third)] == [401] * 3
        assert renew(third["refresh_token"]).status_code == 400
        assert ApiSession.objects.get().ended_at is not None
        assert not RefusedTry.objects.filter(way="token").exclude(address="127.0.0.1").exists()

    @pytest.mark.usefixtures("no_time_passes")
    def test_one_that_comes_again_at_once_is_refused_and_ends_nothing(self, operator: User) -> None:
        first = begin().json()
        second = renew(first["refresh_token"]).json()
        again = renew(first["refresh_token"])
        assert (again.status_code, again.json()) == (400, SPENT)
        assert use(second["access_token"]).status_code == 200
        assert not RefusedTry.objects.exists()
        assert renew(second["refresh_token"]).status_code == 200

    def test_other_sessions_of_the_user_go_on(self, operator: User) -> None:
        first, other = begin().json(), begin().json()
        renew(first["refresh_token"])
        with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=False):
            renew(first["refresh_token"])
        assert use(first["access_token"]).status_code == 401
        assert use(other["access_token"]).status_code == 200
        assert renew(other["refresh_token"]).status_code == 200

    def test_an_unknown_token_is_400_and_a_guess(self, db: None) -> None:
        answer = renew("321321321")
        assert (answer.status_code, answer.json()) == (400, SPENT)
        assert RefusedTry.objects.get().way == "token"

    def test_an_access_token_renews_nothing(self, operator: User) -> None:
        assert renew(begin().json()["access_token"]).status_code == 400

    def test_it_goes_on_with_another_password_no_more(self, operator: User) -> None:
        found = begin().json()
        operator.set_password("another password, quite long")
        operator.save()
        assert renew(found["refresh_token"]).status_code == 400
        assert use(found["access_token"]).status_code == 401

    @pytest.mark.parametrize("change", [{"is_active": False}, {"password_opens_api": False}])
    def test_it_ends_with_what_let_its_user_in(self, operator: User, change: dict[str, Any]) -> None:
        found = begin().json()
        User.objects.update(**change)
        assert renew(found["refresh_token"]).status_code == 400

    def test_it_can_be_renewed_for_some_days_after_its_token_ended(self, operator: User, settings: Settings) -> None:
        found = begin().json()
        end = timezone.now() + timedelta(seconds=86400)
        with time_machine.travel(end + timedelta(days=29), tick=False):
            found = renew(found["refresh_token"]).json()
        with time_machine.travel(end + timedelta(days=61), tick=False):
            assert renew(found["refresh_token"]).status_code == 400

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("no_time_passes")
    def test_of_requests_at_once_exactly_one_has_the_session(self, operator: User) -> None:
        token = begin().json()["refresh_token"]
        gate = Barrier(4)

        def ask() -> Any:
            try:
                gate.wait()
                return renew(token)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            answers = [asked.result() for asked in [pool.submit(ask) for _ in range(4)]]
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        assert use(won["access_token"]).status_code == 200
        assert renew(won["refresh_token"]).status_code == 200

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("no_time_passes")
    def test_whoever_was_slower_ends_nothing(self, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both were found good before either took the token."""
        token = begin().json()["refresh_token"]
        winner: list[Any] = []

        def is_still_good(user: User, given_for: str) -> bool:
            if not winner:
                winner.append(None)
                winner[0] = renew(token).json()
            return True

        monkeypatch.setattr(sessions, "is_still_good", is_still_good)
        answer = renew(token)
        assert (answer.status_code, answer.json()) == (400, SPENT)
        assert use(winner[0]["access_token"]).status_code == 200


class TestClients:
    def test_any_id_and_secret_will_do(self, operator: User) -> None:
        first = begin(client_id="123", client_secret="user").json()
        assert renew(first["refresh_token"], client_id="other", client_secret="guess").status_code == 200
        assert not RefusedTry.objects.exists()

    def test_so_does_a_header(self, operator: User) -> None:
        for header in (basic("123", "user"), "Basic \xff", "Basic eA==", basic("a\x00b", "c"), "Bearer x"):
            body = f"grant_type=password&username=operator&password={PASSWORD.replace(' ', '+')}"
            answer = APIClient().post(SESSION, body, content_type=FORM, HTTP_AUTHORIZATION=header)
            assert answer.status_code == 200

    def test_one_that_was_set_up_needs_its_secret(self, operator: User) -> None:
        client, secret = clients.make("Terminals")
        assert begin(client_id=client.client_id, client_secret=secret).status_code == 200
        for wrong in ("", "wrong"):
            answer = begin(client_id=client.client_id, client_secret=wrong)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert {row.way for row in RefusedTry.objects.all()} == {"client"}
        assert AuditEvent.objects.filter(object_id="Terminals", status=200).count() == 1

    def test_a_secret_in_the_header_is_looked_at_too(self, operator: User) -> None:
        client, secret = clients.make("Terminals")
        body = f"grant_type=password&username=operator&password={PASSWORD.replace(' ', '+')}"
        good, wrong = (
            APIClient().post(SESSION, body, content_type=FORM, HTTP_AUTHORIZATION=basic(client.client_id, given))
            for given in (secret, "wrong")
        )
        assert (good.status_code, wrong.status_code) == (200, 401)

    def test_its_sessions_are_renewed_by_itself_alone(self, operator: User) -> None:
        client, secret = clients.make("Terminals")
        found = begin(client_id=client.client_id, client_secret=secret).json()
        assert renew(found["refresh_token"], client_id="123").status_code == 400
        assert renew(found["refresh_token"], client_id=client.client_id, client_secret=secret).status_code == 200

    def test_one_that_comes_by_itself_opens_no_sessions(self, operator: User) -> None:
        client, secret = clients.make("Monitoring", operator)
        answer = begin(client_id=client.client_id, client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")

    @pytest.mark.parametrize("kind", [Application.CLIENT_CONFIDENTIAL, Application.CLIENT_PUBLIC])
    def test_one_that_was_not_made_on_our_pages_opens_and_renews_none(self, operator: User, kind: str) -> None:
        secret = "x" * 40
        row = Application.objects.create(
            client_type=kind, authorization_grant_type=Application.GRANT_PASSWORD, client_secret=secret
        )
        named = {"client_id": row.client_id, "client_secret": secret}
        for answer in (begin(**named), renew("unknown", **named)):
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert not RefusedTry.objects.exists()

    @override_settings(API_SESSION_CLIENTS="configured")
    @pytest.mark.parametrize("named", [{}, {"client_id": "123", "client_secret": "user"}, {"client_id": "any-program"}])
    def test_only_those_that_were_set_up_where_the_administrator_says_so(
        self, operator: User, named: dict[str, str]
    ) -> None:
        sessions.anybody()
        answer = begin(**named)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        client, secret = clients.make("Terminals")
        assert begin(client_id=client.client_id, client_secret=secret).status_code == 200

    def test_header_and_body_must_name_the_same(self, operator: User) -> None:
        client, secret = clients.make("Terminals")
        body = f"grant_type=password&username=operator&password={PASSWORD.replace(' ', '+')}&client_id=other"
        header = basic(client.client_id, secret)
        answer = APIClient().post(SESSION, body, content_type=FORM, HTTP_AUTHORIZATION=header)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


class TestPasswordInUrl:
    URL = f"/api/v1/session?username=operator&password={PASSWORD}"

    @pytest.fixture
    def is_open(self, settings: Settings) -> None:
        settings.API_WAYS_IN = [*settings.API_WAYS_IN, "password_in_url"]

    @pytest.mark.parametrize("url", ["/api/v1/session", "/api/session", "/api/v1/session/", "/api/session/"])
    def test_it_is_no_way_in_unless_opened(self, operator: User, url: str) -> None:
        answer = APIClient().get(f"{url}?username=operator&password=wrong")
        assert answer.status_code == 404
        assert not RefusedTry.objects.exists()

    @pytest.mark.parametrize("url", ["/api/v1/session", "/api/session/"])
    def test_it_answers_as_the_post_does(self, operator: User, is_open: None, url: str) -> None:
        answer = APIClient().get(url, {"username": "operator", "password": PASSWORD})
        assert answer.status_code == 200
        assert use(answer.json()["Access_token"]).status_code == 200
        event = AuditEvent.objects.get()
        assert (event.method, event.path, event.user) == ("GET", url, operator)

    def test_the_name_may_be_called_as_the_document_has_it_too(self, operator: User, is_open: None) -> None:
        answer = APIClient().get("/api/v1/session", {"login": "operator", "password": PASSWORD})
        assert answer.status_code == 200

    @pytest.mark.parametrize("query", ["username=oper%00ator&password=x", "username=operator&password=%00"])
    def test_what_no_database_takes_is_refused(self, operator: User, is_open: None, query: str) -> None:
        answer = APIClient().get(f"/api/v1/session?{query}")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_a_wrong_password_is_counted(self, operator: User, is_open: None) -> None:
        answer = APIClient().get("/api/v1/session?username=operator&password=wrong")
        assert (answer.status_code, answer.json()) == (401, BAD)
        assert RefusedTry.objects.get().way == "password"

    def test_it_needs_both(self, operator: User, is_open: None) -> None:
        assert APIClient().get("/api/v1/session").json()["error"] == "invalid_request"

    def test_a_head_begins_no_session(self, operator: User, is_open: None) -> None:
        assert APIClient().head(self.URL).status_code == 405
        assert not ApiSession.objects.exists()

    def test_nor_does_it_where_sessions_are_closed(self, operator: User, settings: Settings) -> None:
        settings.API_WAYS_IN = ["password_in_url"]
        assert APIClient().get(self.URL).status_code == 404
