"""POST /api/v1/login."""

import hashlib
import re
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from portal.models import ApiToken, AuditEvent, RefusedTry, User, WatchedHost
from tests.conftest import PASSWORD

URL = "/api/v1/login"
BAD = {"message": "Wasn't able to authenticate those credentials"}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def test_it_answers_a_token_and_nothing_else(client: APIClient, admin: User) -> None:
    answer = client.post(URL, {"username": "admin", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["token"]
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["token"])


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_no_cache_may_keep_the_answer(client: APIClient, admin: User, password: str) -> None:
    answer = client.post(URL, {"username": "admin", "password": password}, format="json")
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_stores_only_a_digest_of_the_token(client: APIClient, admin: User) -> None:
    token = client.post(URL, {"username": "admin", "password": PASSWORD}, format="json").json()["token"]
    row = ApiToken.objects.get()
    assert row.digest == hashlib.sha512(token.encode()).hexdigest()
    assert all(token not in str(value) for value in vars(row).values())


def test_it_notes_from_where_and_when_the_token_was_issued(client: APIClient, admin: User) -> None:
    client.post(URL, {"username": "admin", "password": PASSWORD}, format="json", REMOTE_ADDR="192.0.2.7")
    row = ApiToken.objects.get()
    assert row.address == "192.0.2.7"
    assert row.last_used is not None


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "%"])
@pytest.mark.parametrize("url", [URL, URL + "/"])
def test_it_takes_the_documents_body_with_any_content_type(
    client: APIClient, admin: User, content_type: str, url: str
) -> None:
    body = f'{{\n  "password": "{PASSWORD}",\n  "username": "admin",\n}}'
    answer = client.generic("POST", url, body, content_type=content_type)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"username": "admin", "password": "wrong"},
        {"username": "stranger", "password": PASSWORD},
        {"username": "admin"},
        {"password": PASSWORD},
        {"username": "", "password": ""},
        {"username": None, "password": None},
        {},
    ],
)
def test_it_refuses_bad_credentials_with_one_key(client: APIClient, admin: User, body: dict[str, str]) -> None:
    answer = client.post(URL, body, format="json")
    assert (answer.status_code, answer.json()) == (401, BAD)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_it_refuses_an_inactive_user(client: APIClient, admin: User) -> None:
    User.objects.update(is_active=False)
    assert client.post(URL, {"username": "admin", "password": PASSWORD}, format="json").json() == BAD


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"[]",
        b'"admin"',
        b"\xff\xfe",
        b'{"username": 5, "password": "x"}',
        b'{"username": "a\\u0000b", "password": "x"}',
    ],
)
def test_it_says_in_plain_text_why_it_cannot_read_a_body(client: APIClient, db: None, body: Any) -> None:
    answer = client.generic("POST", URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.content


def test_it_is_open_to_a_caller_with_a_stale_token(client: APIClient, admin: User) -> None:
    client.credentials(HTTP_AUTHORIZATION="Bearer stale")
    answer = client.post(URL, {"username": "admin", "password": PASSWORD}, format="json")
    assert answer.status_code == 200


def test_it_ignores_case_of_keys_and_other_keys_as_the_original_does(client: APIClient, admin: User) -> None:
    body = {"Username": "admin", "PASSWORD": PASSWORD, "remember": True}
    assert client.post(URL, body, format="json").status_code == 200


def test_it_never_keeps_a_token_for_a_repeated_key(client: APIClient, admin: User) -> None:
    body = {"username": "admin", "password": PASSWORD}
    first = client.post(URL, body, format="json", HTTP_IDEMPOTENCY_KEY="k").json()
    second = client.post(URL, body, format="json", HTTP_IDEMPOTENCY_KEY="k").json()
    assert first != second


def test_it_is_405_for_another_method(client: APIClient, db: None) -> None:
    answer = client.get(URL)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_it_is_audited_with_the_password_masked(client: APIClient, admin: User) -> None:
    client.post(URL, {"username": "admin", "password": PASSWORD}, format="json")
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.user_name, event.status) == ("login", admin, "admin", 200)
    assert event.request == {"username": "admin", "password": "*" * 24}


def test_a_failed_login_is_audited_under_the_name_that_was_tried(client: APIClient, admin: User) -> None:
    client.post(URL, {"username": "admin", "password": "guess"}, format="json", REMOTE_ADDR="192.0.2.7")
    event = AuditEvent.objects.get()
    assert (event.user, event.user_name, event.address, event.status) == (None, "admin", "192.0.2.7", 401)
    assert "guess" not in str(event.request)


def test_an_unreadable_login_is_audited_too(client: APIClient, db: None) -> None:
    client.generic("POST", URL, "{", content_type="application/json")
    assert AuditEvent.objects.get().status == 400


def test_a_password_that_opens_the_admin_only_is_told_so_after_it_was_right(client: APIClient, admin: User) -> None:
    User.objects.update(password_opens_api=False)
    answer = client.post(URL, {"username": "admin", "password": PASSWORD}, format="json")
    assert answer.status_code == 403
    assert "may not sign in to the API with its password" in answer.json()["message"]
    assert not ApiToken.objects.exists()
    assert list(AuditEvent.objects.values_list("action", "status", "user_name")) == [("login", 403, "admin")]
    wrong = client.post(URL, {"username": "admin", "password": "wrong"}, format="json")
    assert (wrong.status_code, wrong.json()) == (401, BAD)


def test_a_program_signs_in(client: APIClient, admin: User) -> None:
    User.objects.update(is_program=True, is_staff=False)
    assert client.post(URL, {"username": "admin", "password": PASSWORD}, format="json").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver:81", "http://[", "null"])
def test_a_page_of_another_site_cannot_get_its_reader_blocked(client: APIClient, admin: User, origin: str) -> None:
    body = '{"username": "admin", "password": "guess"}'
    for _ in range(6):
        answer = client.generic("POST", URL, body, content_type="text/plain", headers={"origin": origin})
        assert answer.status_code == 403
    assert not RefusedTry.objects.exists()
    assert not WatchedHost.objects.exists()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nor_can_one_that_hides_its_origin(client: APIClient, admin: User, site: str) -> None:
    wrong = {"username": "admin", "password": "guess"}
    assert client.post(URL, wrong, format="json", HTTP_SEC_FETCH_SITE=site).status_code == 403
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("origin", ["http://testserver", "chrome-extension://abc"])
def test_our_own_pages_and_programs_sign_in(client: APIClient, admin: User, origin: str) -> None:
    body = {"username": "admin", "password": PASSWORD}
    assert client.post(URL, body, format="json", headers={"origin": origin}).status_code == 200


def test_a_closed_way_is_an_unknown_path_and_looks_at_no_password(
    client: APIClient, admin: User, settings: Settings
) -> None:
    settings.API_WAYS_IN = ["session"]
    answer = client.post(URL, {"username": "admin", "password": "wrong"}, format="json")
    assert (answer.status_code, answer.json()) == (404, {"message": "Unknown path /api/v1/login"})
    assert not RefusedTry.objects.exists()
