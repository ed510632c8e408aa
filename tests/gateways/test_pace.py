"""No window of time holds more messages than the gateway's rate allows, whoever asks and whenever."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways import pace
from gateways.models import Gateway, GatewayHealth
from tests.gateways.conftest import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def take(gateway: Gateway, wanted: int) -> tuple[int, float]:
    with transaction.atomic():
        return pace.take(gateway, wanted)


def with_full_bucket(rate: float) -> Gateway:
    gateway = Gateway.objects.get_or_create(name="paced", defaults={"provider": "sandbox"})[0]
    Gateway.objects.filter(pk=gateway.pk).update(rate_per_second=rate)
    GatewayHealth.objects.update_or_create(gateway=gateway, defaults={"pace_tokens": max(1.0, rate), "pace_at": START})
    gateway.refresh_from_db()
    return gateway


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.one_of(st.floats(0.01, 3), st.floats(3, 200)),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=15),
)
def test_every_window_holds_at_most_rate_times_time_plus_burst(
    db: None, rate: float, steps: list[tuple[float, int, int]]
) -> None:
    gateway = with_full_bucket(rate)
    used: list[tuple[datetime, int]] = []
    with time_machine.travel(START, tick=False) as clock:
        for pause, wanted, unused in steps:
            clock.shift(timedelta(seconds=pause))
            granted, wait = take(gateway, wanted)
            assert 0 <= granted <= wanted
            assert (wait > 0) == (granted < wanted)
            pace.give_back(gateway.pk, min(unused, granted))
            used.append((datetime.now(UTC), granted - min(unused, granted)))
    burst = max(1.0, rate)
    for first, (start, _) in enumerate(used):
        for last in range(first, len(used)):
            window = (used[last][0] - start).total_seconds()
            assert sum(count for _, count in used[first : last + 1]) <= rate * window + burst + 1e-3


@pytest.mark.parametrize("rate", [0.01, 0.3, 1, 7.7, 50])
def test_who_waits_as_long_as_told_gets_one(rate: float) -> None:
    gateway = with_full_bucket(rate)
    with time_machine.travel(START, tick=False) as clock:
        _, wait = take(gateway, 1000)
        for _ in range(20):
            # The clock knows whole microseconds.
            clock.shift(timedelta(seconds=wait, microseconds=1))
            granted, wait = take(gateway, 1000)
            assert granted == 1


def test_a_bucket_fills_to_one_second_and_no_further() -> None:
    gateway = with_full_bucket(20)
    with time_machine.travel(START, tick=False) as clock:
        assert take(gateway, 1000)[0] == 20
        clock.shift(timedelta(hours=1))
        assert take(gateway, 1000)[0] == 20


def test_tokens_given_back_can_be_taken_and_spill_over_the_rim() -> None:
    gateway = with_full_bucket(20)
    with time_machine.travel(START, tick=False):
        assert take(gateway, 20) == (20, 0.0)
        pace.give_back(gateway.pk, 5)
        assert take(gateway, 20)[0] == 5
        pace.give_back(gateway.pk, 1000)
        assert take(gateway, 1000)[0] == 20


def test_a_clock_that_is_set_back_gives_nothing_and_stops_nothing() -> None:
    gateway = with_full_bucket(10)
    with time_machine.travel(START, tick=False) as clock:
        take(gateway, 10)
        clock.shift(timedelta(days=-1))
        assert take(gateway, 1)[0] == 0
        clock.shift(timedelta(seconds=0.5))
        assert take(gateway, 10)[0] == 5


def test_a_lower_rate_counts_at_once() -> None:
    gateway = with_full_bucket(100)
    gateway.rate_per_second = 2
    with time_machine.travel(START, tick=False):
        assert take(gateway, 100)[0] == 2


def test_a_gateway_without_a_health_row_may_send_one(sandbox: Gateway) -> None:
    with time_machine.travel(START, tick=False):
        assert take(sandbox, 5)[0] == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_the_same_time_share_one_bucket() -> None:
    gateway = with_full_bucket(1)
    GatewayHealth.objects.update(pace_tokens=40, pace_at=START)
    Gateway.objects.update(rate_per_second=100)
    gateway.refresh_from_db()
    with time_machine.travel(START, tick=False):
        shares = at_once(lambda: [take(gateway, 3)[0] for _ in range(5)])
    granted = [number for share in shares for number in share]
    assert len(granted) == 20
    assert sum(granted) == 40
