"""The state of a guest, worked out in Python and by the database alike."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from guests import accounts, states
from guests.models import Guest
from guests.states import State

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: Stays that are over, end this very moment, run, begin this very moment, and are still to come.
STAYS = {
    "over": (NOW - 2 * HOUR, NOW - HOUR),
    "ending": (NOW - HOUR, NOW),
    "running": (NOW - HOUR, NOW + HOUR),
    "beginning": (NOW, NOW + HOUR),
    "to come": (NOW + HOUR, NOW + 2 * HOUR),
}


def every_combination() -> list[Guest]:
    """A guest for each combination of all that a state depends on."""
    yes_or_no = (False, True)
    combinations = product(STAYS.values(), yes_or_no, yes_or_no, (None, NOW), (None, NOW))
    return [
        Guest(
            username=f"guest{number}",
            valid_from=stay[0],
            valid_until=stay[1],
            suspended=suspended,
            banned=banned,
            first_sign_in=signed_in,
            anonymised_at=anonymised,
        )
        for number, (stay, suspended, banned, signed_in, anonymised) in enumerate(combinations)
    ]


def test_python_and_the_database_agree_on_every_combination() -> None:
    guests = Guest.objects.bulk_create(every_combination())
    assert len(guests) == 80
    found: Any = states.annotated(Guest.objects.all(), NOW)
    by_database = dict(found.values_list("username", "state"))
    assert by_database == {guest.username: states.of(guest, NOW).value for guest in guests}
    assert set(by_database.values()) == set(State.values)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, State.CREATED),
        ({"first_sign_in": NOW}, State.ACTIVE),
        ({"valid_from": NOW + HOUR}, State.NOT_YET),
        ({"valid_until": NOW, "first_sign_in": NOW}, State.EXPIRED),
        ({"valid_until": NOW, "suspended": True}, State.SUSPENDED),
        ({"suspended": True, "banned": True}, State.BANNED),
        ({"banned": True, "anonymised_at": NOW}, State.ANONYMISED),
    ],
)
def test_what_weighs_more_decides(changes: dict[str, Any], expected: State) -> None:
    guest = Guest(**{"username": "bob", "valid_from": NOW - HOUR, "valid_until": NOW + 2 * HOUR} | changes)
    assert states.of(guest, NOW) is expected


def test_guests_are_counted_by_state_in_one_query(django_assert_num_queries: Any) -> None:
    accounts.create(username="new", by=None)
    accounts.create(username="old", by=None, valid_from=NOW - 9 * HOUR, valid_until=NOW - 8 * HOUR)
    accounts.create(username="out", by=None, suspended=True)
    with django_assert_num_queries(1):
        counts = states.counts()
    assert counts[State.CREATED] == counts[State.EXPIRED] == counts[State.SUSPENDED] == 1
    assert list(counts) == list(State)
    assert sum(counts.values()) == 3
