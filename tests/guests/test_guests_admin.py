"""Guests in the admin: written by `accounts`, their passwords never shown."""

from typing import Any

import pytest
from django.test import Client

from guests import passwords
from guests.models import Guest
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

GUEST_RIGHTS = (Right.USERS_READ, Right.USERS_CREATE, Right.USERS_UPDATE, Right.USERS_DELETE)


@pytest.fixture
def clerk(db: None) -> User:
    """Keeps guests and nothing else."""
    return staff_with("clerk", *GUEST_RIGHTS)


@pytest.fixture
def browser(clerk: User) -> Client:
    """The clerk's, in English."""
    client = signed_in(clerk)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def submit(client: Client, guest: Guest | None = None, **changes: Any) -> Any:
    """Submits the page of the guest, or the one for a new guest."""
    form = {
        "username": "anna",
        "phone": "",
        "valid_from_0": "2026-01-01",
        "valid_from_1": "12:00:00",
        "valid_until_0": "2026-02-01",
        "valid_until_1": "12:00:00",
    } | changes
    address = page(Guest, "change", guest.pk) if guest else page(Guest, "add")
    return client.post(address, form)


def errors(response: Any) -> dict[str, list[str]]:
    """What the form was refused for."""
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def test_a_guest_is_made_with_one_spelling_of_the_phone_and_a_sponsor(browser: Client, clerk: User) -> None:
    assert submit(browser, phone="8 (916) 123-45-67").status_code == 302
    guest = Guest.objects.get(username="anna")
    assert guest.phone == "+79161234567"
    assert guest.sponsor == clerk
    assert AuditEvent.objects.get().object_id == "anna"


def test_an_administrator_chooses_the_sponsor(admin: User, clerk: User) -> None:
    assert submit(signed_in(admin), sponsor=clerk.pk).status_code == 302
    assert Guest.objects.get().sponsor == clerk


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("phone", {"phone": "12"}),
        ("username", {"username": "a b"}),
        ("username", {"username": "bob"}),
        ("email", {"email": "nowhere"}),
        ("valid_until", {"valid_until_0": "2025-01-01"}),
    ],
)
def test_what_accounts_refuses_is_shown_on_the_form(
    browser: Client, guest: Guest, field: str, changes: dict[str, Any]
) -> None:
    response = submit(browser, **changes)
    assert response.status_code == 200
    assert set(errors(response)) == {field}
    assert Guest.objects.count() == 1


def test_a_guest_is_changed_and_keeps_the_name_and_the_password(browser: Client, guest: Guest) -> None:
    passwords.put(guest, passwords.hash_password("a long secret"))
    assert submit(browser, guest, username="other", phone="916 765-43-21", company="Ours").status_code == 302
    guest.refresh_from_db()
    assert (guest.username, guest.phone, guest.company) == ("bob", "+79167654321", "Ours")
    assert guest.check_password("a long secret")


def test_a_refused_change_leaves_the_guest_as_it_was(browser: Client, guest: Guest) -> None:
    assert submit(browser, guest, phone="12", company="Ours").status_code == 200
    guest.refresh_from_db()
    assert (guest.phone, guest.company) == ("+79161234567", "")


def test_a_guest_is_removed(browser: Client, guest: Guest) -> None:
    assert browser.post(page(Guest, "delete", guest.pk), {"post": "yes"}).status_code == 302
    assert not Guest.objects.exists()


def test_a_page_says_whether_there_is_a_password_and_shows_none(browser: Client, guest: Guest) -> None:
    passwords.put(guest, passwords.hash_password("a long secret"))
    html = browser.get(page(Guest, "change", guest.pk)).content.decode()
    assert "Has a password" in html
    assert "argon2" not in html
    assert 'name="password' not in html
