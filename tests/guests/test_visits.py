"""A visit to *My access*: who it is of, and what ends it."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from pytest_django import Settings

from guests import passwords, stays
from guests.models import Guest
from guests.views import visits

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(guest: Guest) -> Guest:
    passwords.reset(guest)
    return guest


def opened(guest: Guest) -> HttpResponse:
    response = HttpResponse()
    visits.open(response, guest)
    return response


def request_after(response: HttpResponse) -> HttpRequest:
    """The browser's next request."""
    request = HttpRequest()
    request.COOKIES[visits.COOKIE] = response.cookies[visits.COOKIE].value
    return request


def test_it_is_the_guests(visitor: Guest) -> None:
    assert visits.guest_of(request_after(opened(visitor))) == visitor


def test_the_cookie_is_for_the_guest_pages_alone(visitor: Guest, settings: Settings) -> None:
    settings.HTTPS = True
    cookie = opened(visitor).cookies[visits.COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == ("/guest/", True, True, "Lax")


def test_it_tells_neither_the_password_nor_the_phone(visitor: Guest) -> None:
    value = opened(visitor).cookies[visits.COOKIE].value
    assert visitor.phone not in value
    assert visitor.password not in value


@pytest.mark.parametrize("value", ["", "x", "WzEsMl0:1x:y", "\x00", "é" * 300])
def test_what_was_not_signed_here_is_nobodys(db: None, value: str) -> None:
    request = HttpRequest()
    request.COOKIES[visits.COOKIE] = value
    assert visits.guest_of(request) is None


def test_another_password_ends_it_and_the_one_it_was_set_in_goes_on(visitor: Guest) -> None:
    elsewhere = request_after(opened(visitor))
    passwords.reset(visitor)
    here = request_after(opened(visitor))
    assert visits.guest_of(elsewhere) is None
    assert visits.guest_of(here) == visitor


def test_another_phone_ends_it(visitor: Guest) -> None:
    request = request_after(opened(visitor))
    Guest.objects.update(phone="+79161234599")
    assert visits.guest_of(request) is None


def test_a_ban_ends_it_and_a_suspension_does_not(visitor: Guest) -> None:
    request = request_after(opened(visitor))
    stays.suspend(visitor, why="noise")
    assert visits.guest_of(request) == visitor
    stays.ban(visitor, why="more noise")
    assert visits.guest_of(request) is None


def test_who_was_made_anonymous_or_removed_has_none(visitor: Guest) -> None:
    request = request_after(opened(visitor))
    stays.anonymise(visitor)
    assert visits.guest_of(request) is None
    Guest.objects.all().delete()
    assert visits.guest_of(request) is None


def test_it_ends_half_an_hour_after_the_last_page_and_four_hours_after_it_began(visitor: Guest) -> None:
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        request = request_after(opened(visitor))
        while timezone.now() < began + timedelta(hours=3, minutes=50):
            clock.shift(timedelta(minutes=29))
            assert visits.guest_of(request) == visitor
            response = HttpResponse()
            visits.go_on(request, response, visitor)
            request = request_after(response)
        clock.shift(timedelta(minutes=29))
        assert visits.guest_of(request) is None
        request = request_after(opened(visitor))
        clock.shift(timedelta(minutes=31))
        assert visits.guest_of(request) is None


def test_closing_it_takes_the_cookie_away(visitor: Guest) -> None:
    response = opened(visitor)
    visits.close(response)
    assert response.cookies[visits.COOKIE].value == ""
    assert response.cookies[visits.COOKIE]["path"] == "/guest/"
