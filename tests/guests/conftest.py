"""Guests of the tests: one who can be reached by phone and one who cannot."""

import pytest

from guests import accounts
from guests.models import Guest


@pytest.fixture
def guest(db: None) -> Guest:
    """Has a phone and no password."""
    return accounts.create(username="bob", by=None, phone="8 916 123-45-67")


@pytest.fixture
def phoneless(db: None) -> Guest:
    """Cannot be reached."""
    return accounts.create(username="eve", by=None)
