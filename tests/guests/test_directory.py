"""Guests found for the page *Write*: those whose name, user name or phone begins so, and that the user may see."""

import pytest

from guests.directory import search
from guests.models import Guest
from portal.models import User
from portal.permissions import Right
from tests.portal.admin_pages import staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def guests(admin: User) -> User:
    """Two of somebody's own and one of the administrator's; whoever has them sees no others."""
    sponsor = staff_with("sponsor", Right.USERS_READ_SPONSORED)
    for username, last_name, phone, by in (
        ("anna", "Petrova", "+79161234501", sponsor),
        ("boris", "Petrov", "+79161234502", admin),
        ("viktor", "Ivanov", "+79161234503", sponsor),
    ):
        Guest.objects.create(username=username, last_name=last_name, phone=phone, sponsor=by)
    return sponsor


def found(query: str, user: User) -> set[str]:
    """User names."""
    return {person.pid for person in search(query, user)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("petr", {"anna", "boris"}),
        ("an", {"anna"}),
        ("8 916 123-45-03", {"viktor"}),
        ("+7916123450", {"anna", "boris", "viktor"}),
        ("nobody", set()),
    ],
)
def test_who_sees_all_guests_finds_them(admin: User, guests: User, query: str, names: set[str]) -> None:
    assert found(query, admin) == names


def test_a_sponsor_finds_own_guests_only(guests: User) -> None:
    assert found("petr", guests) == {"anna"}
    assert found("boris", guests) == set()


def test_who_may_see_no_guest_finds_none(guests: User, operator: User) -> None:
    assert found("petr", operator) == set()
