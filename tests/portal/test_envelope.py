"""POST /api/: the action envelope, and the object `User`: signing in and out by it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from portal import keys
from portal.models import ApiKey, ApiToken, AuditEvent, RefusedTry, User, WatchedHost
from portal.permissions import Right
from tests.conftest import PASSWORD, Api

URL = "/api/"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BAD = "Wasn't able to authenticate those credentials"
AUTH = {"action": "auth", "obj": "User", "action_id": "123", "params": {"login": "admin", "password": PASSWORD}}
LOGOUT = {"action": "logout", "obj": "User", "action_id": "123", "params": {}}


def post(body: Any, **headers: Any) -> Any:
    """The answer, which is 200 whatever its `code` says."""
    written: Any = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = APIClient().generic("POST", URL, written, content_type="application/json", **headers)
    assert answer.status_code == 200
    return answer.json()


def auth(**params: Any) -> Any:
    return post(AUTH | {"params": AUTH["params"] | params})  # type: ignore[operator]


def signed_in() -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Bearer {auth()['body']['token']}"}


@pytest.mark.parametrize("url", ["/api/", "/api"])
def test_it_answers_the_documented_envelope(admin: User, url: str) -> None:
    with time_machine.travel(NOW, tick=False):
        answer = APIClient().post(url, AUTH, format="json")
    assert answer.status_code == 200
    found = answer.json()
    assert list(found) == ["action", "action_id", "obj", "code", "notifies", "body"]
    assert (found["action"], found["action_id"], found["obj"]) == ("auth", "123", "User")
    assert (found["code"], found["notifies"]) == (200, [])
    body = found["body"]
    assert body["exp"] == "2026-11-22T16:00:00.000000"
    assert (body["user_id"], body["user_name"], body["user_login"]) == (admin.pk, "admin", "admin")
    assert (body["role_type"], body["role_perms"]) == (-1, dict.fromkeys(Right, True))
    assert (body["auth_type"], body["tz"], body["locale"]) == ("http", "Europe/Moscow", "ru_RU")
    documented = {
        *("version", "exp", "user_id", "user_name", "user_login", "domain_id", "role_id", "role_name", "role_type"),
        *("role_perms", "role_visible", "role_filters", "auth_type", "domain_name", "domain_test_until"),
        *("domain_mode", "domain_billing_options", "tz", "locale", "token"),
    }
    assert set(body) == documented
    assert set(body["version"]) == {"software", "last_update"}
    assert set(body["domain_billing_options"]) == {"balance", "block_inbound", "block_outbound", "block_face"}


def test_it_names_the_role_and_its_rights(operator: User) -> None:
    User.objects.update(first_name="Vera", last_name="Lee", language="en", time_zone="Europe/Prague")
    body = auth(login="operator")["body"]
    assert (body["user_name"], body["role_name"], body["role_type"]) == ("Vera Lee", "SMS operator", 4)
    assert set(body["role_perms"]) == {"SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE"}
    assert (body["tz"], body["locale"]) == ("Europe/Prague", "en_US")


def test_a_superuser_without_a_role_is_called_something(admin: User) -> None:
    body = auth()["body"]
    assert (body["role_id"], body["role_name"], body["role_type"]) == (0, "Superuser", -1)


@pytest.mark.parametrize("action_id", ["123", "", 7, 1.5, True, None, "я" * 200, 10**150], ids=str)
def test_it_echoes_the_action_id_as_it_was(admin: User, action_id: Any) -> None:
    found = post(AUTH | {"action_id": action_id})
    assert found["code"] == 200
    assert found["action_id"] == action_id
    assert type(found["action_id"]) is type(action_id)


def test_its_token_opens_every_door_of_the_api(admin: User) -> None:
    assert APIClient().get("/api/v1/sms_gateways", **signed_in()).status_code == 200
    assert ApiToken.objects.get().way == ApiToken.Way.ENVELOPE


def test_the_token_ends_when_it_was_said_to(admin: User, settings: Settings) -> None:
    settings.API_ENVELOPE_LIFETIME = timedelta(hours=1)
    with time_machine.travel(NOW, tick=False) as clock:
        header = signed_in()
        clock.shift(3599)
        assert APIClient().get("/api/v1/sms_gateways", **header).status_code == 200
        clock.shift(1)
        assert APIClient().get("/api/v1/sms_gateways", **header).status_code == 401


def test_logout_ends_the_token(admin: User) -> None:
    header = signed_in()
    found = post(LOGOUT, **header)
    assert (found["action"], found["code"], found["body"]) == ("logout", 200, {})
    assert post(LOGOUT, **header)["code"] == 401
    assert not ApiToken.objects.filter(expiry__gt=timezone.now()).exists()


def test_tokens_of_other_ways_are_ended_as_well(admin: User, api: Api) -> None:
    answer = api(admin).post(URL, LOGOUT, format="json")
    assert answer.json()["code"] == 200
    assert not ApiToken.objects.filter(expiry__gt=timezone.now()).exists()


def test_what_comes_with_every_call_cannot_be_logged_out(admin: User) -> None:
    key = keys.issue(admin, "a program")[1]
    pair = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    for header in ({"HTTP_X_API_KEY": key}, {"HTTP_AUTHORIZATION": f"Basic {pair}"}):
        assert post(LOGOUT, **header)["code"] == 409
    assert keys.state_of(ApiKey.objects.get()) == "valid"


@pytest.mark.parametrize(
    ("params", "code", "notify"),
    [
        ({"password": "wrong"}, 401, {"type": "error", "text": BAD, "field": None}),
        ({"login": "stranger"}, 401, {"type": "error", "text": BAD, "field": None}),
        ({"password": ""}, 422, {"type": "error", "text": "This field may not be blank.", "field": "password"}),
        ({"login": None}, 422, {"type": "error", "text": "This field may not be null.", "field": "login"}),
    ],
    ids=str,
)
def test_what_is_refused_is_said_in_the_envelope(
    admin: User, params: dict[str, Any], code: int, notify: dict[str, Any]
) -> None:
    found = auth(**params)
    assert found == {**{name: AUTH[name] for name in ("action", "action_id", "obj")}} | {
        "code": code,
        "notifies": [notify],
        "body": None,
    }
    assert not ApiToken.objects.exists()


def test_whose_password_opens_the_admin_only_is_told_so(admin: User) -> None:
    User.objects.update(password_opens_api=False)
    found = auth()
    assert (found["code"], found["body"]) == (403, None)
    assert "may not sign in to the API" in found["notifies"][0]["text"]


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "null", b"\xff", '{"action": "auth"}', '{"obj": "User"}', '{"action": 1, "obj": "User"}'),
        '{"action": "auth", "obj": "User", "params": []}',
        '{"action": "auth", "obj": "User", "action_id": {}}',
        '{"action": "auth", "obj": "User", "action_id": [1]}',
        json.dumps(AUTH | {"action_id": "x" * 201}),
        json.dumps(AUTH | {"action": "x" * 201}),
        '{"action": "auth", "action": "auth", "obj": "User"}',
        '{"action": "auth", "obj": "User", "action_id": NaN}',
        '{"action": "auth", "obj": "User", "action_id": "\\u0000"}',
    ],
    ids=repr,
)
def test_an_envelope_that_is_none_is_400(db: None, body: Any) -> None:
    found = post(body)
    assert (found["code"], found["body"]) == (400, None)
    assert found["notifies"][0]["text"].startswith("Bad Request.")
    assert not RefusedTry.objects.exists()


def test_what_is_too_large_or_has_no_length_is_refused(db: None) -> None:
    assert post(json.dumps(AUTH | {"more": "x" * 2**20}))["code"] == 413
    answer = APIClient().generic("POST", URL, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert (answer.status_code, answer.json()["code"]) == (200, 411)


def test_what_there_is_not_is_404_for_who_is_known(admin: User) -> None:
    for asked in ({"obj": "Pigeon"}, {"action": "fly"}, {"action": "append"}):
        assert post(AUTH | asked)["code"] == 401
    header = signed_in()
    found = post(AUTH | {"obj": "Pigeon"}, **header)
    assert (found["code"], found["obj"]) == (404, "Pigeon")
    assert found["notifies"][0]["text"] == "There is no object “Pigeon”. Known: User, Sms"
    assert post(AUTH | {"action": "fly"}, **header)["notifies"][0]["text"].endswith("Known: auth, logout")


def test_an_old_token_keeps_nobody_from_signing_in(admin: User) -> None:
    assert post(AUTH, HTTP_AUTHORIZATION=f"Bearer {'0' * 64}")["code"] == 200
    assert not RefusedTry.objects.exists()


def test_who_guesses_is_blocked_and_told_so_in_json(admin: User) -> None:
    assert [auth(password=f"guess {number}")["code"] for number in range(5)] == [401] * 5
    answer = APIClient().post(URL, AUTH, format="json", HTTP_ACCEPT="text/html")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    found = answer.json()
    assert (found["code"], found["body"]) == (429, None)
    assert "Try again in" in found["notifies"][0]["text"]
    assert WatchedHost.objects.blocked().exists()


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_of_another_site_cannot_get_its_reader_blocked(admin: User, origin: str) -> None:
    wrong = AUTH | {"params": {"login": "admin", "password": "guess"}}
    assert [post(wrong, HTTP_ORIGIN=origin)["code"] for _ in range(6)] == [403] * 6
    assert not RefusedTry.objects.exists()
    assert auth()["code"] == 200


def test_pages_of_other_sites_are_not_invited(admin: User) -> None:
    answer = APIClient().post(URL, AUTH, format="json", HTTP_ORIGIN="http://testserver")
    assert answer.json()["code"] == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_it_is_written_down_without_the_password(admin: User) -> None:
    auth()
    auth(password="wrong-secret")
    auth(login="hunter2", password="wrong-secret")
    done, refused, stranger = AuditEvent.objects.order_by("pk")
    assert [event.action for event in (done, refused, stranger)] == ["envelope.user.auth"] * 3
    assert [event.status for event in (done, refused, stranger)] == [200, 401, 401]
    assert (done.user, refused.user_name) == (admin, "admin")
    assert stranger.user_name.startswith("?")
    for secret in (PASSWORD, "wrong-secret", "hunter2"):
        assert secret not in str([vars(event) for event in (done, refused, stranger)])


def test_what_a_stranger_makes_up_is_no_action_of_the_trail(admin: User) -> None:
    post(AUTH | {"obj": "hunter2"}, **signed_in())
    assert AuditEvent.objects.order_by("pk").last().action == "envelope"  # type: ignore[union-attr]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_only_a_post_is_an_action(db: None, method: str) -> None:
    assert APIClient().generic(method, URL).status_code == 405


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_the_way_is_closed_there_is_nothing(admin: User, settings: Settings, method: str) -> None:
    header = signed_in()
    settings.API_WAYS_IN = ["login"]
    client = APIClient()
    nowhere = client.generic(method, "/api/nowhere", json.dumps(AUTH), content_type="application/json")
    closed = client.generic(method, URL, json.dumps(AUTH), content_type="application/json")
    assert (closed.status_code, closed.content) == (404, nowhere.content)
    assert client.get("/api/v1/sms_gateways", **header).status_code == 401
