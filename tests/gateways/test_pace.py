"""No window of time holds more messages than the gateway's rate allows, whoever asks and whenever."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings as DjangoSettings

from gateways import pace
from gateways.models import Gateway, GatewayHealth
from tests.gateways.conftest import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def take(gateway: Gateway, wanted: int, *, urgent: bool = True) -> tuple[int, float]:
    """As many as there are of what is wanted, and the seconds until the next one where these are fewer."""
    with transaction.atomic():
        bucket = pace.lock(gateway)
        granted = min(wanted, bucket.allows(urgent=urgent))
        bucket.take(granted)
        return granted, 0.0 if granted == wanted else bucket.wait(urgent=urgent)


def with_full_bucket(rate: float) -> Gateway:
    gateway = Gateway.objects.get_or_create(name="paced", defaults={"provider": "sandbox"})[0]
    Gateway.objects.filter(pk=gateway.pk).update(rate_per_second=rate)
    GatewayHealth.objects.update_or_create(gateway=gateway, defaults={"pace_tokens": max(1.0, rate), "pace_at": START})
    gateway.refresh_from_db()
    return gateway


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.one_of(st.floats(0.01, 3), st.floats(3, 200)),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 300), st.booleans()), min_size=1, max_size=15),
)
def test_every_window_holds_at_most_rate_times_time_plus_burst(
    db: None, rate: float, steps: list[tuple[float, int, bool]]
) -> None:
    gateway = with_full_bucket(rate)
    used: list[tuple[datetime, int]] = []
    with time_machine.travel(START, tick=False) as clock:
        for pause, wanted, urgent in steps:
            clock.shift(timedelta(seconds=pause))
            granted, wait = take(gateway, wanted, urgent=urgent)
            assert 0 <= granted <= wanted
            assert (wait > 0) == (granted < wanted)
            used.append((datetime.now(UTC), granted))
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


def test_the_last_tenth_of_the_tokens_is_left_to_codes() -> None:
    gateway = with_full_bucket(20)
    with time_machine.travel(START, tick=False):
        assert take(gateway, 1000, urgent=False) == pytest.approx((18, 1 / 20))
        assert take(gateway, 1000, urgent=True)[0] == 2
        assert take(gateway, 1, urgent=False) == pytest.approx((0, 3 / 20))


@pytest.mark.parametrize("rate", [0.01, 0.9, 1, 2, 3.9])
def test_a_slow_gateway_keeps_none_for_codes_so_that_information_is_sent_at_all(rate: float) -> None:
    gateway = with_full_bucket(rate)
    with time_machine.travel(START, tick=False):
        assert take(gateway, 1000, urgent=False)[0] == max(1, int(rate))


@pytest.mark.parametrize(
    ("limit", "kept"), [(0, 0), (1, 0), (3, 0), (4, 1), (9, 1), (10, 1), (19, 1), (50, 5), (1000, 100)]
)
def test_one_in_ten_and_one_of_four_is_kept_for_codes(limit: int, kept: int) -> None:
    assert pace.reserve(limit) == kept


def test_a_clock_that_is_set_back_gives_nothing_and_stops_nothing() -> None:
    gateway = with_full_bucket(10)
    with time_machine.travel(START, tick=False) as clock:
        take(gateway, 10)
        clock.shift(timedelta(days=-1))
        assert take(gateway, 1)[0] == 0
        clock.shift(timedelta(seconds=0.5))
        assert take(gateway, 10)[0] == 5


@pytest.mark.parametrize("ahead", [0.0, 0.05, 0.1, 1.0])
def test_two_workers_whose_clocks_are_not_quite_the_same_do_not_count_time_twice(ahead: float) -> None:
    gateway = with_full_bucket(50)
    granted = 0
    with time_machine.travel(START, tick=False) as clock:
        take(gateway, 50)
        for _ in range(100):
            clock.shift(timedelta(seconds=0.01 + ahead))
            granted += take(gateway, 1)[0]
            clock.shift(timedelta(seconds=-ahead))
            granted += take(gateway, 1)[0]
    # A second has passed; the one whose clock is ahead may have what belongs to that.
    assert granted <= 50 * (1 + ahead) + 1


def test_a_lower_rate_counts_at_once() -> None:
    gateway = with_full_bucket(100)
    gateway.rate_per_second = 2
    with time_machine.travel(START, tick=False):
        assert take(gateway, 100)[0] == 2


def test_a_gateway_without_a_health_row_begins_with_a_full_bucket(sandbox: Gateway) -> None:
    assert not GatewayHealth.objects.exists()
    assert take(sandbox, 1000) == pytest.approx((50, 1 / 50))


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


# The daily limit

MOSCOW_MIDNIGHT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def limited(limit: int | None) -> Gateway:
    """Its pace never holds it back."""
    gateway = with_full_bucket(10_000)
    Gateway.objects.update(daily_limit=limit)
    gateway.refresh_from_db()
    return gateway


def sent_today(gateway: Gateway) -> int:
    return pace.sent_today(GatewayHealth.objects.get(gateway=gateway))


def test_no_more_than_the_daily_limit_are_granted() -> None:
    gateway = limited(5)
    with time_machine.travel(START, tick=False):
        assert [take(gateway, 2) for _ in range(4)] == [(2, 0.0), (2, 0.0), (1, 0.0), (0, 0.0)]
        assert sent_today(gateway) == 5


def test_without_a_limit_any_number_is_granted_and_counted() -> None:
    gateway = limited(None)
    with time_machine.travel(START, tick=False):
        assert take(gateway, 9_000)[0] == 9_000
        assert sent_today(gateway) == 9_000


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_the_same_time_share_one_limit() -> None:
    gateway = limited(25)
    with time_machine.travel(START, tick=False):
        shares = at_once(lambda: [take(gateway, 3)[0] for _ in range(5)])
    assert sum(number for share in shares for number in share) == 25


def test_what_was_not_handed_over_may_be_handed_over_later() -> None:
    gateway = limited(10)
    with time_machine.travel(START, tick=False):
        take(gateway, 10)
        pace.uncount(gateway.pk, 5, timezone.localdate())
        assert take(gateway, 10)[0] == 5
        assert take(gateway, 10)[0] == 0


def test_the_count_never_falls_below_nothing() -> None:
    gateway = limited(10)
    with time_machine.travel(START, tick=False):
        take(gateway, 1)
        pace.uncount(gateway.pk, 100, timezone.localdate())
        assert sent_today(gateway) == 0


def test_a_day_begins_at_midnight_of_the_portals_time_zone(settings: DjangoSettings) -> None:
    settings.TIME_ZONE = "Europe/Moscow"
    gateway = limited(3)
    with time_machine.travel(MOSCOW_MIDNIGHT - timedelta(seconds=1), tick=False) as clock:
        assert take(gateway, 10)[0] == 3
        assert take(gateway, 10)[0] == 0
        clock.shift(timedelta(seconds=1))
        assert sent_today(gateway) == 0
        assert take(gateway, 10)[0] == 3
        clock.shift(timedelta(hours=23, minutes=59))
        assert take(gateway, 10)[0] == 0


def test_what_comes_back_after_midnight_is_taken_off_the_day_before(settings: DjangoSettings) -> None:
    settings.TIME_ZONE = "Europe/Moscow"
    gateway = limited(3)
    with time_machine.travel(MOSCOW_MIDNIGHT - timedelta(seconds=1), tick=False) as clock:
        yesterday = timezone.localdate()
        take(gateway, 3)
        clock.shift(timedelta(seconds=2))
        take(gateway, 2)
        pace.uncount(gateway.pk, 3, yesterday)
        assert sent_today(gateway) == 2
        assert take(gateway, 10)[0] == 1


def test_a_limit_that_was_lowered_below_the_count_grants_nothing_and_a_higher_one_the_rest() -> None:
    gateway = limited(10)
    with time_machine.travel(START, tick=False):
        take(gateway, 8)
        gateway.daily_limit = 5
        assert take(gateway, 3)[0] == 0
        gateway.daily_limit = 9
        assert take(gateway, 3)[0] == 1
