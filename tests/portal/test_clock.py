"""All machines go by the database's clock; where there is no server that has one, by the machine's own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from portal import clock

#: Reading it gives the connection back, which a transaction around the test would not outlive.
pytestmark = pytest.mark.django_db(transaction=True)

NEAR = timedelta(seconds=30)
#: A machine whose clock is off by more than a lease.
FAST, SLOW = timedelta(seconds=90), timedelta(seconds=-90)


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    clock.stop()


def is_server() -> bool:
    return connection.vendor == "postgresql"


def test_a_process_that_has_not_started_it_goes_by_its_own() -> None:
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
        assert clock.now() == timezone.now()


@pytest.mark.parametrize("off", [FAST, SLOW])
def test_a_machine_whose_clock_is_off_goes_by_the_databases(off: timedelta) -> None:
    right = timezone.now()
    with time_machine.travel(right + off):
        clock.start()
        assert (abs(clock.now() - right) < NEAR) == is_server()


def test_a_clock_that_is_set_while_the_portal_runs_changes_nothing() -> None:
    right = timezone.now()
    clock.start()
    with time_machine.travel(right + FAST):
        assert (abs(clock.now() - right) < NEAR) == is_server()


def test_time_goes_on_between_two_readings() -> None:
    clock.start()
    first = clock.now()
    assert clock.now() >= first
    assert clock.now().tzinfo is UTC


def test_while_the_database_is_away_time_is_carried_on(caplog: pytest.LogCaptureFixture) -> None:
    right = timezone.now()
    clock.start()
    with time_machine.travel(right + FAST), patch.object(connection, "cursor", side_effect=OperationalError("gone")):
        clock.read()
        assert (abs(clock.now() - right) < NEAR) == is_server()
    assert ("could not be read (OperationalError)" in caplog.text) == is_server()


def test_a_database_that_was_away_at_the_start_is_asked_before_the_time_is_told() -> None:
    right = timezone.now()
    with time_machine.travel(right + FAST):
        with patch.object(connection, "cursor", side_effect=OperationalError("gone")):
            clock.start()
        assert (abs(clock.now() - right) < NEAR) == is_server()


def test_a_reading_that_took_long_is_not_believed() -> None:
    clock.start()
    before = clock.now()
    with patch.object(clock, "_steady", side_effect=[0.0, 1000.0] * clock.READINGS):
        clock.read()
    assert abs(clock.now() - before) < NEAR
