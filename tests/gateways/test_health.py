"""The breaker: it opens on faults, for a growing while, and closes on success."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateways import health
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from tests.gateways.conftest import at_once

pytestmark = pytest.mark.django_db


def fault(gateway: Gateway, reason: str = "no funds") -> datetime | None:
    """Until when the gateway is paused once this fault is told."""
    health.record_fault(gateway.pk, GatewayFault(reason))
    return health.paused_until(gateway.pk)


START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_a_fault_pauses_for_half_a_minute(sandbox: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        until = fault(sandbox, "wrong password")
        assert until == START + timedelta(seconds=30)
        assert health.paused_until(sandbox.pk) == until
        clock.shift(timedelta(seconds=30))
        assert health.paused_until(sandbox.pk) is None
    assert GatewayHealth.objects.get().last_error == "wrong password"


def test_pauses_grow_up_to_ten_minutes(sandbox: Gateway) -> None:
    pauses = []
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(7):
            now = datetime.now(UTC)
            until = fault(sandbox)
            assert until
            pauses.append((until - now).total_seconds())
            clock.move_to(until)
    assert pauses == [30, 60, 120, 240, 480, 600, 600]


def test_a_gateway_at_fault_for_weeks_is_still_asked_every_ten_minutes(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, faults=100_000)
    with time_machine.travel(START, tick=False):
        assert fault(sandbox, "no funds") == START + timedelta(minutes=10)


def test_faults_that_come_in_during_a_pause_do_not_lengthen_it(sandbox: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        until = fault(sandbox, "first")
        clock.shift(timedelta(seconds=29))
        assert fault(sandbox, "second") == until
    assert (GatewayHealth.objects.get().faults, GatewayHealth.objects.get().last_error) == (1, "first")


@pytest.mark.django_db(transaction=True)
def test_faults_that_come_at_the_same_time_are_one(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox)
    with time_machine.travel(START, tick=False):
        told = at_once(lambda: fault(sandbox, "wrong password"))
    assert told == [START + timedelta(seconds=30)] * 4
    assert GatewayHealth.objects.get().faults == 1


def test_an_answer_that_was_under_way_does_not_end_a_fresh_pause(sandbox: Gateway) -> None:
    until = fault(sandbox, "no funds")
    health.record_success(sandbox.pk)
    assert health.paused_until(sandbox.pk) == until


def test_a_success_after_the_pause_makes_the_next_fault_the_first_again(sandbox: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        fault(sandbox, "no funds")
        clock.shift(timedelta(seconds=31))
        fault(sandbox, "no funds")
        clock.shift(timedelta(seconds=61))
        health.record_success(sandbox.pk)
        assert health.paused_until(sandbox.pk) is None
        assert fault(sandbox) == datetime.now(UTC) + timedelta(seconds=30)


@pytest.mark.parametrize("has_row", [True, False])
def test_a_success_of_a_healthy_gateway_writes_nothing(sandbox: Gateway, *, has_row: bool) -> None:
    if has_row:
        GatewayHealth.objects.create(gateway=sandbox, proven=True)
    with CaptureQueriesContext(connection) as queries:
        health.record_success(sandbox.pk)
    assert len(queries) == 1
    assert queries[0]["sql"].startswith("SELECT")


def test_an_error_is_remembered_and_pauses_nothing(sandbox: Gateway) -> None:
    health.record_error(sandbox.pk, "no answer: " + "x" * 1000)
    found = GatewayHealth.objects.get()
    assert found.last_error.startswith("no answer: x")
    assert len(found.last_error) == 300
    assert found.last_error_at
    assert health.paused_until(sandbox.pk) is None
    health.record_success(sandbox.pk)
    assert GatewayHealth.objects.get().last_error


def test_a_gateway_without_a_health_row_is_not_paused(sandbox: Gateway) -> None:
    assert health.paused_until(sandbox.pk) is None
    assert health.limit(sandbox) == sandbox.max_in_flight


def test_after_a_pause_one_message_goes_on_trial(sandbox: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        fault(sandbox, "wrong password")
        assert health.limit(sandbox) == 0
        clock.shift(timedelta(seconds=30))
        assert health.limit(sandbox) == 1
        health.record_success(sandbox.pk)
        assert health.limit(sandbox) == sandbox.max_in_flight


def test_settings_are_told_apart_by_being_the_same_and_not_by_clocks(sandbox: Gateway) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    GatewayHealth.objects.create(gateway=sandbox, settings_at=ahead)
    read = Gateway.objects.select_related("health").get(pk=sandbox.pk)
    assert health.record_fault(sandbox.pk, CredentialsRefused("wrong"), health.settings_as_read(read), read)
    assert GatewayHealth.objects.get().refused_at
    health.begin_anew(sandbox.pk)
    assert not health.record_fault(sandbox.pk, CredentialsRefused("wrong"), health.settings_as_read(read), read)
    assert GatewayHealth.objects.get().refused_at is None


def test_a_pause_that_a_person_ends_leaves_one_message_on_trial(sandbox: Gateway) -> None:
    fault(sandbox)
    assert health.end_pause(sandbox.pk)
    assert health.paused_until(sandbox.pk) is None
    assert health.limit(Gateway.objects.get()) == 1
    assert not health.end_pause(sandbox.pk)


def test_ending_a_pause_is_no_way_around_refused_credentials(sandbox: Gateway) -> None:
    health.record_fault(sandbox.pk, CredentialsRefused("wrong password"))
    assert not health.end_pause(sandbox.pk)
    assert health.limit(Gateway.objects.get()) == 0
