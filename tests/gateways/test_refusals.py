"""What stops a gateway and what starts it again: refused credentials, silence, trials; and who is told, and when."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from gateways import accounts, changes, health
from gateways.changes import Change
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from gateways.provider import BaseProvider
from tests.gateways.conftest import at_once

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REFUSED = CredentialsRefused("wrong password", "type it again")

heard: list[Change] = []


def hear(_gateway_id: int, change: Change) -> None:
    heard.append(change)


def fail(_gateway_id: int, _change: Change) -> None:
    raise ZeroDivisionError


@pytest.fixture
def gateway(telegraph: type[BaseProvider], monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """It shows its password with every request. Of its listeners the first fails."""
    made = accounts.create(name="wire", provider="telegraph", settings={"url": "https://a.example", "password": "one"})
    monkeypatch.setattr(changes, "LISTENERS", [f"{__name__}.fail", f"{__name__}.hear"])
    heard.clear()
    yield made
    heard.clear()


def fresh(gateway: Gateway) -> Gateway:
    return Gateway.objects.get(pk=gateway.pk)


def state(gateway: Gateway) -> GatewayHealth:
    return GatewayHealth.objects.get(gateway=gateway)


def refuse(gateway: Gateway) -> bool:
    """The provider refuses the settings that this gateway was read with."""
    return health.record_fault(gateway.pk, CredentialsRefused(REFUSED.reason, REFUSED.remedy), asked_as=gateway)


# Refused credentials


def test_refused_credentials_stop_the_gateway_for_good_and_say_what_to_do(gateway: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        assert refuse(gateway)
        assert health.limit(gateway) == 0
        clock.shift(timedelta(days=30))
        assert health.limit(gateway) == 0
    found = state(gateway)
    assert (found.last_error, found.last_remedy, found.refused_at) == ("wrong password", "type it again", START)
    assert not found.proven


def test_a_refusal_without_a_remedy_gets_the_usual_one(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, CredentialsRefused("wrong password"))
    assert "password" in state(gateway).last_remedy


def test_workers_that_are_refused_at_the_same_time_tell_it_once(gateway: Gateway) -> None:
    assert at_once(lambda: refuse(gateway)) == [True] * 4
    assert heard == [Change.REFUSED]


def test_a_gateway_without_a_health_row_can_be_stopped(gateway: Gateway) -> None:
    GatewayHealth.objects.all().delete()
    assert refuse(gateway)
    assert state(gateway).refused_at


@pytest.mark.parametrize(
    "later",
    [
        lambda pk: health.record_error(pk, "something else"),
        lambda pk: health.record_trouble(pk, 9, "no answer"),
        lambda pk: health.record_fault(pk, GatewayFault("no funds")),
        lambda pk: health.record_fault(pk, CredentialsRefused("said again")),
        health.record_success,
    ],
)
def test_what_lands_after_a_stop_neither_hides_its_reason_nor_ends_it(
    gateway: Gateway, later: Callable[[int], object]
) -> None:
    refuse(gateway)
    later(gateway.pk)
    found = state(gateway)
    assert (found.last_error, found.last_remedy) == ("wrong password", "type it again")
    assert found.refused_at
    assert found.open_until is None
    assert heard == [Change.REFUSED]


def test_what_lands_during_a_pause_does_not_hide_its_reason(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds", "top it up"))
    health.record_error(gateway.pk, "something else")
    health.record_trouble(gateway.pk, 1, "no answer")
    assert (state(gateway).last_error, state(gateway).last_remedy) == ("no funds", "top it up")


@pytest.mark.parametrize("kept_for", [0.0, 900.0])
def test_a_fault_that_names_a_pause_gets_it(gateway: Gateway, kept_for: float) -> None:
    with time_machine.travel(START, tick=False):
        health.record_fault(gateway.pk, GatewayFault("no funds", "top it up", pause=kept_for))
        assert health.paused_until(gateway.pk) == START + timedelta(seconds=max(30.0, kept_for))


# Settings that are changed


def test_new_settings_begin_anew_on_trial(gateway: Gateway) -> None:
    health.record_success(gateway.pk)
    assert health.limit(gateway) == gateway.max_in_flight
    refuse(gateway)
    accounts.change(fresh(gateway), settings={"password": "two"})
    found = state(gateway)
    assert (found.refused_at, found.faults, found.troubles, found.proven) == (None, 0, 0, False)
    assert health.limit(gateway) == 1
    assert heard == [Change.REFUSED, Change.SETTINGS]


def test_settings_found_well_need_no_trial(gateway: Gateway) -> None:
    refuse(gateway)
    health.begin_anew(gateway.pk, proven=True)
    assert health.limit(gateway) == gateway.max_in_flight


@pytest.mark.parametrize("fault", [REFUSED, GatewayFault("no funds on the old account")])
def test_what_is_said_of_the_settings_before_is_no_news(gateway: Gateway, fault: GatewayFault) -> None:
    asked_as = fresh(gateway)
    accounts.change(fresh(gateway), settings={"password": "two"})
    assert not health.record_fault(gateway.pk, fault, asked_as=asked_as)
    found = state(gateway)
    assert (found.refused_at, found.open_until, found.last_error) == (None, None, "")
    assert heard == [Change.SETTINGS]


def test_a_success_with_the_settings_before_proves_nothing_of_the_new_ones(gateway: Gateway) -> None:
    asked_as = fresh(gateway)
    accounts.change(fresh(gateway), settings={"password": "two"})
    health.record_success(gateway.pk, asked_as=asked_as)
    assert not state(gateway).proven
    health.record_success(gateway.pk, asked_as=fresh(gateway))
    assert state(gateway).proven


def test_a_change_of_something_else_leaves_a_refusal_news(gateway: Gateway) -> None:
    asked_as = fresh(gateway)
    accounts.change(fresh(gateway), priority=7)
    assert refuse(asked_as)
    assert state(gateway).refused_at


def test_settings_and_session_change_together_or_not_at_all(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    refuse(gateway)
    monkeypatch.setattr(health, "begin_anew", broken)
    with pytest.raises(ZeroDivisionError):
        accounts.change(fresh(gateway), settings={"password": "two"})
    assert fresh(gateway).settings["password"] == "one"
    assert state(gateway).refused_at
    assert heard == [Change.REFUSED]


@pytest.mark.parametrize("attempt", range(8))
def test_a_refusal_and_a_correction_at_the_same_moment_leave_the_gateway_usable(gateway: Gateway, attempt: int) -> None:
    """Whichever is first, what is refused are the settings before."""
    asked_as = fresh(gateway)
    turns = iter([True, False])

    def work() -> None:
        if next(turns):
            refuse(asked_as)
        else:
            accounts.change(fresh(gateway), settings={"password": "two"})

    at_once(work, workers=2)
    assert state(gateway).refused_at is None
    assert fresh(gateway).settings["password"] == "two"


# Silence


def test_five_messages_without_any_answer_pause_the_gateway(gateway: Gateway) -> None:
    for _ in range(health.TROUBLES_TO_PAUSE - 1):
        health.record_trouble(gateway.pk, 1, "no answer")
    assert health.paused_until(gateway.pk) is None
    health.record_trouble(gateway.pk, 1, "no answer")
    assert health.paused_until(gateway.pk)
    assert state(gateway).last_error == "no answer"
    assert heard == [Change.PAUSED]


def test_one_number_that_is_tried_again_and_again_does_not_pause_it(gateway: Gateway) -> None:
    for _ in range(20):
        health.record_trouble(gateway.pk, 0, "no answer")
    assert health.paused_until(gateway.pk) is None


def test_an_answer_in_between_makes_the_next_silence_the_first(gateway: Gateway) -> None:
    for _ in range(3):
        health.record_trouble(gateway.pk, health.TROUBLES_TO_PAUSE - 1, "no answer")
        health.record_success(gateway.pk)
    assert health.paused_until(gateway.pk) is None


def test_workers_that_meet_silence_at_once_count_every_message_and_pause_once(gateway: Gateway) -> None:
    at_once(lambda: health.record_trouble(gateway.pk, 1, "no answer"), workers=health.TROUBLES_TO_PAUSE)
    assert state(gateway).faults == 1
    assert heard == [Change.PAUSED]


def test_a_trial_without_an_answer_pauses_again_and_longer(gateway: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        health.record_fault(gateway.pk, GatewayFault("no funds"))
        clock.shift(timedelta(seconds=30))
        assert health.breaker(state(gateway)) is health.Breaker.HALF_OPEN
        assert health.limit(gateway) == 1
        health.record_trouble(gateway.pk, 0, "no answer")
        assert health.paused_until(gateway.pk) == START + timedelta(seconds=30 + 60)
    assert heard == [Change.PAUSED, Change.PAUSED]


def test_a_trial_with_an_answer_lets_all_pass_and_tells_it_once(gateway: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        health.record_fault(gateway.pk, GatewayFault("no funds"))
        clock.shift(timedelta(seconds=30))
        at_once(lambda: health.record_success(gateway.pk))
        assert health.limit(gateway) == gateway.max_in_flight
    assert heard == [Change.PAUSED, Change.RECOVERED]


# Who is told


def test_listeners_are_told_after_the_commit_and_not_of_what_was_undone(gateway: Gateway) -> None:
    with transaction.atomic():
        refuse(gateway)
        transaction.set_rollback(True)
    assert heard == []
    assert state(gateway).refused_at is None
    with transaction.atomic():
        refuse(gateway)
        assert heard == []
    assert heard == [Change.REFUSED]
