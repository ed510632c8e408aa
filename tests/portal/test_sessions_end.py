"""A session ends when it is left idle, after twelve hours, or with the device that opened it; looking writes little."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.urls import reverse

from portal.models import User
from portal.sign_in import enrolment
from tests.portal.admin_pages import ENGLISH, signed_in
from tests.portal.second_factors import is_in, with_app
from tests.statements import statements

INDEX = reverse("admin:index")
WRITES = ("INSERT", "UPDATE", "DELETE")
BY_SCRIPT = {"Sec-Fetch-Mode": "cors"}


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as travelling:
        yield travelling


def writes_of(client: Client) -> list[str]:
    sent = statements(lambda: client.get(INDEX))
    assert sent
    return [one for one in sent if one.startswith(WRITES)]


def test_it_ends_when_it_is_left_idle_and_the_page_says_why(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    clock.shift(30 * 60)
    assert is_in(client)
    clock.shift(31 * 60)
    answer = client.get(INDEX, follow=True)
    assert "signed out after 30 minutes" in answer.content.decode()
    assert not is_in(client)


@override_settings(ADMIN_IDLE_MINUTES=5)
def test_how_long_is_a_setting(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    clock.shift(6 * 60)
    assert not is_in(client)


def test_use_keeps_it_alive_but_not_for_more_than_twelve_hours(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    for _ in range(12 * 3 - 1):
        clock.shift(20 * 60)
        assert is_in(client)
    clock.shift(20 * 60)
    assert "twelve hours" in client.get(INDEX, follow=True).content.decode()


def test_a_page_that_refreshes_itself_does_not_keep_it_alive(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    for _ in range(31):
        assert client.get(INDEX, headers=BY_SCRIPT).status_code == 200
        clock.shift(60)
    assert client.get(INDEX, headers=BY_SCRIPT).status_code == 302


def test_looking_writes_the_last_use_once_a_minute_and_nothing_else(admin: User, clock: Any) -> None:
    client = signed_in(admin)
    assert writes_of(client) == []
    clock.shift(59)
    assert writes_of(client) == []
    clock.shift(1)
    [write] = writes_of(client)
    assert "django_session" in write
    assert writes_of(client) == []


def test_it_ends_with_the_device_that_opened_it(admin: User) -> None:
    with_app(admin)
    client = signed_in(admin)
    assert is_in(client)
    enrolment.remove_all(admin)
    assert "second factor was removed" in client.get(INDEX, follow=True).content.decode()
    assert not is_in(client)


def test_a_second_factor_set_up_elsewhere_is_asked_for_here(admin: User) -> None:
    client = signed_in(admin)
    with_app(admin)
    assert not is_in(client)


def test_a_call_of_the_api_does_not_look_at_sessions(admin: User) -> None:
    sent = statements(lambda: Client(headers=ENGLISH).get("/api/v1/token_info"))
    assert not [one for one in sent if "django_session" in one]
