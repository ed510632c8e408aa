"""`/captive-portal/api`: what phones ask of the network, RFC 8908."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from guests import registration, stays
from guests.models import Guest
from tests.guests.test_registration import last_code, start

pytestmark = pytest.mark.usefixtures("sandbox")


def ask(address: str = "192.0.2.1") -> dict[str, object]:
    answer = Client(REMOTE_ADDR=address).get("/captive-portal/api")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/captive+json"
    assert "no-store" in answer.headers["Cache-Control"]
    found: dict[str, object] = answer.json()
    return found


@pytest.fixture
def guest() -> Guest:
    """Came in from 192.0.2.1."""
    registration.confirm(start().registration, last_code())
    return Guest.objects.get()


def test_who_has_not_registered_is_captive_and_told_where_to_go(settings: Settings, db: None) -> None:
    settings.PORTAL_URL = "https://wifi.example.org"
    assert ask() == {"captive": True, "user-portal-url": "https://wifi.example.org/guest/"}


def test_who_has_is_not_and_knows_how_long(settings: Settings, guest: Guest) -> None:
    settings.PORTAL_URL = "https://wifi.example.org"
    told = ask()
    assert told["captive"] is False
    assert told["can-extend-session"] is False
    left = told["seconds-remaining"]
    assert isinstance(left, int)
    assert 0 < left <= (guest.valid_until - timezone.now()).total_seconds() + 1
    assert ask("192.0.2.2")["captive"] is True


def test_a_stay_that_ended_or_was_suspended_is_captive_again(guest: Guest) -> None:
    stays.suspend(guest, why="lost")
    assert ask()["captive"] is True
    stays.reinstate(guest)
    assert ask()["captive"] is False
    Guest.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now())
    assert ask()["captive"] is True


def test_where_a_lobby_has_one_address_it_tells_nothing_of_one_guest(settings: Settings, guest: Guest) -> None:
    settings.GUEST_NETWORKS = [ip_network("192.0.2.0/24")]
    assert ask()["captive"] is True


def test_it_is_only_asked(db: None) -> None:
    assert Client().post("/captive-portal/api").status_code == 405
