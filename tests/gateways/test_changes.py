"""Whoever listens to gateways: told once a change is committed, and a burden to nobody where it fails."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from gateways import changes
from gateways.changes import Change, tell

pytestmark = pytest.mark.django_db(transaction=True)

heard: list[tuple[int, Change]] = []


def fail(gateway_id: int, change: Change) -> None:
    raise ValueError(gateway_id, change)


def hear(gateway_id: int, change: Change) -> None:
    heard.append((gateway_id, change))


@pytest.fixture(autouse=True)
def _a_listener_that_fails_and_another(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(changes, "LISTENERS", [f"{__name__}.fail", f"{__name__}.hear"])
    yield
    heard.clear()


def test_a_listener_that_fails_stops_neither_the_next_nor_the_caller() -> None:
    tell(7, Change.REFUSED)
    assert heard == [(7, Change.REFUSED)]


def test_a_listener_that_fails_does_not_spoil_the_transaction_that_told_it() -> None:
    with transaction.atomic():
        tell(7, Change.PAUSED)
        assert heard == []
    assert heard == [(7, Change.PAUSED)]


def test_nobody_is_told_of_what_was_rolled_back() -> None:
    with transaction.atomic():
        tell(7, Change.PAUSED)
        transaction.set_rollback(True)
    assert heard == []
