"""GET /api/v1/token_info and POST /api/v1/logout."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from portal.models import ApiToken, AuditEvent, RefusedTry, User
from portal.permissions import Right
from tests.conftest import Api
from tests.portal.ways_in import Way, api_key, basic

URL = "/api/v1/token_info"
UNKNOWN = {"message": "Couldn't find any information for the current token. Either it is invalid or it has expired."}


def test_it_names_the_user_the_rights_and_the_end(api: Api, operator: User) -> None:
    answer = api(operator).get(URL)
    item = answer.json()["item"]
    assert answer.status_code == 200
    assert list(answer.json()) == ["item"]
    assert (item["username"], item["admin_roles"]) == ("operator", ["SMS operator"])
    assert item["admin_actions"] == ["SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE"]
    assert datetime.fromisoformat(item["expires_at"]) == ApiToken.objects.get().expiry


def test_no_cache_may_keep_the_answer(api: Api, operator: User) -> None:
    assert api(operator).get(URL).headers["Cache-Control"] == "no-store"


def test_a_superuser_has_all_rights(api: Api, admin: User) -> None:
    item = api(admin).get(URL).json()["item"]
    assert item["admin_roles"] == ["ALL"]
    assert set(item["admin_actions"]) == set(Right)


@pytest.mark.parametrize("header", ["", "Bearer x", "Bearer " + "0" * 64, "\xff"])
def test_a_bad_token_is_404(db: None, header: str) -> None:
    answer = APIClient().get(URL, HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()) == (404, UNKNOWN)


def test_an_expired_token_is_404(api: Api, admin: User) -> None:
    client = api(admin)
    ApiToken.objects.update(expiry=timezone.now())
    assert client.get(URL).json() == UNKNOWN


@pytest.mark.parametrize(("query", "slides"), [("", True), ("?no-expiration-extension=1", False)])
def test_it_slides_the_window_unless_asked_not_to(api: Api, admin: User, query: str, slides: bool) -> None:
    client = api(admin)
    used_a_while_ago = timezone.now() + timedelta(minutes=5)
    ApiToken.objects.update(expiry=used_a_while_ago)
    assert client.get(URL + query).status_code == 200
    assert (ApiToken.objects.get().expiry > used_a_while_ago) is slides


def test_logout_ends_the_token_and_no_other(api: Api, nobody: User) -> None:
    client, other = api(nobody), api(nobody)
    answer = client.post("/api/v1/logout")
    assert (answer.status_code, answer.json()) == (200, {"message": "Logged out", "status": 200})
    assert client.get(URL).status_code == 404
    assert other.get(URL).status_code == 200
    assert AuditEvent.objects.get().action == "logout"


def test_another_call_of_the_same_program_after_the_logout_is_no_guess(api: Api, operator: User) -> None:
    client = api(operator)
    client.post("/api/v1/logout")
    assert [client.get("/api/v1/sms_gateways").status_code for _ in range(6)] == [401] * 6
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("way", [api_key, basic])
def test_what_is_no_token_is_not_logged_out_and_ends_nobodys(admin: User, nobody: User, way: Way) -> None:
    ApiToken.objects.create(user=nobody)
    answer = APIClient(headers=way(admin).headers).post("/api/v1/logout")
    assert (answer.status_code, answer.json()["message"]) == (409, "Only a token can be logged out.")
    assert ApiToken.objects.count() == 1


def test_logout_without_a_token_is_401(db: None) -> None:
    assert APIClient().post("/api/v1/logout").status_code == 401
