"""`Authorization: Basic`, in both spellings that Mobile SMARTS documents, and with an API key for the password."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from portal import keys
from portal.api.authentication import passwords
from portal.api.authentication.entry import presented_pair
from portal.models import RefusedTry, User, WatchedHost
from portal.passwords import PortalPasswordHasher
from tests.conftest import PASSWORD
from tests.statements import statements

URL = "/api/v1/sms_gateways"


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def get(authorization: str, url: str = URL) -> Any:
    return APIClient().get(url, HTTP_AUTHORIZATION=authorization)


@pytest.mark.parametrize(
    ("header", "pair"),
    [
        ("Basic YTpi", ("a", "b")),
        ("basic YTpi", ("a", "b")),
        ("Basic a:b", ("a", "b")),
        ("Basic a:b:c d", ("a", "b:c d")),
        ("Basic " + base64.b64encode("гость:пароль".encode()).decode(), ("гость", "пароль")),
        ("Basic " + "гость:пароль".encode().decode("latin-1"), ("гость", "пароль")),
        # Good Base64 that holds no colon is a name and a password as they stand only where there is one.
        ("Basic YWJj", ("YWJj", "")),
        ("Basic ab:d", ("ab", "d")),
        ("Basic", ("", "")),
        ("Basic \xff\xfe", ("��", "")),
        ("Bearer YTpi", None),
        ("YTpi", None),
        ("", None),
    ],
)
def test_name_and_password_are_read_in_base64_and_plain(header: str, pair: tuple[str, str] | None) -> None:
    assert presented_pair(RequestFactory().get("/", HTTP_AUTHORIZATION=header)) == pair


def test_the_right_password_opens_the_api(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    assert get(f"Basic operator:{PASSWORD}").status_code == 200


def test_a_wrong_password_is_401_and_counted(operator: User) -> None:
    answer = get(basic("operator", "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"message": "Wasn't able to authenticate those credentials"})
    assert RefusedTry.objects.get().username == "operator"


def test_the_sixth_guess_is_turned_away_and_so_is_the_right_password(operator: User) -> None:
    codes = [get(basic("operator", f"wrong {number}")).status_code for number in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]
    assert get(basic("operator", PASSWORD)).status_code == 429


def test_a_right_password_is_hashed_once_for_many_calls(operator: User) -> None:
    with patch.object(PortalPasswordHasher, "verify", autospec=True, wraps=PortalPasswordHasher.verify) as verify:
        assert [get(basic("operator", PASSWORD)).status_code for _ in range(5)] == [200] * 5
    assert verify.call_count == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_at_a_time_one_has_the_password_hashed(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hashed, found = threading.Semaphore(0), [], PortalPasswordHasher.verify
    believed = passwords._believed

    def ask(*arguments: Any) -> User | None:
        user = believed(*arguments)
        asked.release()
        return user

    def verify(*arguments: Any) -> bool:
        # Not before all have asked whether it is believed.
        for _ in range(4):
            asked.acquire()
        hashed.append(arguments)
        asked.release(4)
        return found(*arguments)

    def call(_number: int) -> int:
        try:
            return int(get(basic("operator", PASSWORD)).status_code)
        finally:
            connection.close()

    monkeypatch.setattr(passwords, "_believed", ask)
    monkeypatch.setattr(PortalPasswordHasher, "verify", verify)
    with ThreadPoolExecutor(4) as together:
        assert list(together.map(call, range(4))) == [200] * 4
    assert len(hashed) == 1


def test_whose_password_is_believed_is_not_looked_up(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    asked = statements(partial(get, basic("operator", PASSWORD)))
    assert not [sql for sql in asked if User._meta.db_table in sql]


@pytest.mark.parametrize("name", ["", "operator"])
def test_a_password_that_is_believed_is_turned_away_where_its_host_or_its_user_there_is_blocked(
    operator: User, name: str
) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    WatchedHost.objects.create(host="127.0.0.1", username=name, until=timezone.now() + timedelta(minutes=1))
    assert get(basic("operator", PASSWORD)).status_code == 429


def test_a_new_password_ends_what_was_believed(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    operator.set_password("another one")
    operator.save()
    assert get(basic("operator", PASSWORD)).status_code == 401


def test_a_user_who_is_switched_off_is_not_believed_any_more(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    User.objects.update(is_active=False)
    assert get(basic("operator", PASSWORD)).status_code == 401


def test_what_is_believed_of_one_password_says_nothing_of_another(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    assert get(basic("operator", PASSWORD + " ")).status_code == 401
    # Where the name ends is part of what is believed.
    assert get(f"Basic operato:r{PASSWORD}").status_code == 401


def test_a_right_that_is_taken_away_is_gone_with_the_next_call(operator: User) -> None:
    assert get(basic("operator", PASSWORD)).status_code == 200
    operator.groups.clear()
    assert get(basic("operator", PASSWORD)).status_code == 403


def test_a_password_that_opens_the_admin_only_is_told_so(operator: User) -> None:
    User.objects.update(password_opens_api=False)
    answer = get(basic("operator", PASSWORD))
    assert answer.status_code == 403
    assert "may not sign in to the API with its password" in answer.json()["message"]


def test_an_api_key_stands_for_the_password(operator: User) -> None:
    key = keys.issue(operator, "terminal")[1]
    assert get(basic("operator", key)).status_code == 200
    assert get(basic("", key)).status_code == 200


def test_a_key_opens_no_other_name(operator: User, nobody: User) -> None:
    key = keys.issue(operator, "terminal")[1]
    assert get(basic("nobody", key)).status_code == 401
    assert RefusedTry.objects.get().way == "key"


def test_where_the_way_is_closed_it_is_no_way_in(operator: User, settings: Settings) -> None:
    settings.API_WAYS_IN = [way for way in settings.API_WAYS_IN if way != "basic"]
    assert get(basic("operator", PASSWORD)).status_code == 401


@pytest.mark.parametrize("password", [PASSWORD, "a key"])
def test_where_the_way_is_closed_a_program_that_goes_on_does_not_block_its_host(
    operator: User, settings: Settings, password: str
) -> None:
    pair = basic("operator", keys.issue(operator, "terminal")[1] if password == "a key" else password)
    settings.API_WAYS_IN = ["login"]
    assert [get(pair).status_code for _ in range(6)] == [401] * 6
    assert not RefusedTry.objects.exists()


def test_a_key_for_the_password_is_no_guess_where_keys_are_closed(operator: User, settings: Settings) -> None:
    key = keys.issue(operator, "terminal")[1]
    settings.API_WAYS_IN = ["basic"]
    assert get(basic("operator", key)).status_code == 401
    assert not RefusedTry.objects.exists()
    assert get(basic("operator", "gsp_that_somebody_made_up")).status_code == 401
    assert RefusedTry.objects.get().way == "password"


def test_to_ask_what_a_token_may_do_without_one_is_no_guess(operator: User) -> None:
    assert get(basic("operator", PASSWORD), "/api/v1/token_info").status_code == 404
    assert not RefusedTry.objects.exists()


def test_what_a_key_in_the_place_of_the_password_may_do_is_told(operator: User, settings: Settings) -> None:
    written = keys.issue(operator, "terminal")[1]
    answer = get(basic("operator", written), "/api/v1/token_info")
    assert (answer.status_code, answer.json()["item"]["way"]) == (200, "api_key")
    assert get(basic("admin", written), "/api/v1/token_info").status_code == 404
    settings.API_WAYS_IN = ["basic"]
    assert get(basic("operator", written), "/api/v1/token_info").status_code == 404


def test_a_nul_is_in_nobodys_name(operator: User) -> None:
    assert get(basic("oper\0ator", PASSWORD)).status_code == 401
    assert get("Basic oper\0ator:guess").status_code == 401
    assert RefusedTry.objects.count() == 2


def test_a_refused_password_is_in_no_answer(operator: User) -> None:
    assert "s3cret-guess" not in get(basic("operator", "s3cret-guess")).content.decode()
