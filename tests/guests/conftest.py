"""Guests of the tests, and who looks after them."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from guests import accounts
from guests.models import Guest, GuestType
from guests.registration import codes
from portal.models import User
from tests.conftest import with_role


@pytest.fixture
def guest(db: None) -> Guest:
    """Has a phone and no password."""
    return accounts.create(username="bob", by=None, phone="8 916 123-45-67")


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> str:
    """What every guest is sent: digits that stand nowhere else by chance."""
    monkeypatch.setattr(codes, "secrets", SimpleNamespace(choice=lambda _digits: "7"))
    return "777777"


@pytest.fixture
def phoneless(db: None) -> Guest:
    """Cannot be reached."""
    return accounts.create(username="eve", by=None)


@pytest.fixture
def sponsor(db: None) -> User:
    """Holds the role `Sponsor`: sees and acts on own guests only."""
    return with_role("sponsor", "Sponsor")


@pytest.fixture
def receptionist(db: None) -> User:
    """Holds the role `Reception`: keeps all guests and sends, and changes nothing of the system."""
    return with_role("receptionist", "Reception")


@pytest.fixture
def own(sponsor: User) -> Guest:
    """The sponsor's guest."""
    return accounts.create(username="own", by=sponsor, phone="+79161234501")


@pytest.fixture
def foreign(admin: User) -> Guest:
    """Somebody else's guest."""
    return accounts.create(username="foreign", by=admin, phone="+79161234502")


@pytest.fixture
def visitor_type(db: None) -> GuestType:
    """Guests of an afternoon."""
    return GuestType.objects.create(
        name="Visitor", default_stay=timedelta(hours=3), longest_stay=timedelta(days=2), password_length=4
    )
