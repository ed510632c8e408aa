"""The link of the notice, as a phone opens it."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from guests import notice
from guests.models import Guest, GuestType
from portal.logs import WithoutCallbackKeys
from portal.models import AuditEvent
from tests.guests.test_notice import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(db: None) -> Guest:
    kind = GuestType.objects.create(name="Day", longest_stay=timedelta(days=3), notice_hours=2, may_extend=True)
    return make(kind)


@pytest.fixture
def browser() -> Client:
    return Client(HTTP_ACCEPT_LANGUAGE="en")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_opening_it_shows_a_button_and_does_nothing(browser: Client, guest: Guest) -> None:
    answer = browser.get(f"/x/{notice.token_of(guest)}")
    assert "Extend until" in text(answer)
    assert "no-store" in answer["Cache-Control"]
    end = guest.valid_until
    guest.refresh_from_db()
    assert guest.valid_until == end


def test_the_button_extends_once(browser: Client, guest: Guest) -> None:
    address, end = f"/x/{notice.token_of(guest)}", guest.valid_until
    for _tap in range(2):
        answer = browser.post(address)
        assert (answer.status_code, answer["Location"]) == (303, address)
    assert "Your stay was extended." in text(browser.get(address))
    assert "was moved already" in text(browser.get(address))
    guest.refresh_from_db()
    assert guest.valid_until == end + timedelta(days=1)
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.path) == ("guests:extend", "bob", "/x/…")


def test_after_the_end_it_says_so_and_leads_to_the_own_access(browser: Client, guest: Guest) -> None:
    address = f"/x/{notice.token_of(guest)}"
    Guest.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=guest.valid_until)
    late = guest.valid_until - timedelta(hours=2)
    Guest.objects.update(valid_until=late)
    guest.refresh_from_db()
    page = text(browser.get(f"/x/{notice.token_of(guest)}"))
    assert "This link has expired" in page
    assert "/guest/access/" in page
    assert "moved already" in text(browser.get(address))


@pytest.mark.parametrize("token", ["1", "a-b-c", "%00", "é"])
def test_a_forged_one_tells_nothing(browser: Client, guest: Guest, token: str) -> None:
    assert "This link is good no more." in text(browser.get(f"/x/{token}"))
    assert browser.post(f"/x/{token}").status_code == 303


def test_a_form_of_another_site_extends_nothing(guest: Guest) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/x/{notice.token_of(guest)}").status_code == 403


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Forbidden (CSRF cookie not set.): /x/1-abc-def", "Forbidden (CSRF cookie not set.): /x/…"),
        ("Not Found: /r/AbC-_9", "Not Found: /r/…"),
        ("/x/1-abc-def", "/x/…"),
        ("Not Found: /callbacks/1/secret/", "Not Found: /callbacks/1/…/"),
        ("Not Found: /guest/x/1", "Not Found: /guest/x/1"),
    ],
)
def test_links_are_kept_out_of_the_log(line: str, kept: str) -> None:
    record = logging.LogRecord("django.security.csrf", logging.WARNING, "", 0, "%s", (line,), None)
    WithoutCallbackKeys().filter(record)
    assert record.getMessage() == kept
