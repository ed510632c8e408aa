"""What is left on an account: asked for by one worker, kept when no answer comes, and warned of three times."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from gateways import accounts, balance, changes, health, tasks, transport
from gateways.changes import Change
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Ambiguous, Balance, CredentialsRefused, NotAccepted, NotSent, RefusedForNow
from gateways.providers.sms_ru import Provider
from tests.gateways.conftest import at_once
from tests.simulators.server import Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENOUGH, LOW, LOWER, NOTHING = (Decimal(amount) for amount in ("100", "99.99", "49.99", "0"))

heard: list[Change] = []


def hear(_gateway_id: int, change: Change) -> None:
    heard.append(change)


@pytest.fixture(autouse=True)
def _somebody_listens(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(changes, "LISTENERS", [f"{__name__}.hear"])
    yield
    heard.clear()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("sms_ru", "axelnac") as running:
        yield running


@pytest.fixture
def gateway(simulator: Simulator) -> Gateway:
    """One that has sent, and warns below 100."""
    return gateway_at(simulator)


def gateway_at(simulator: Simulator, *, wrong: bool = False, name: str = "sms_ru", **details: Any) -> Gateway:
    peer = simulator.peers[name]
    settings = peer.wrong_settings() if wrong else peer.settings()
    details = {"balance_warning": Decimal(100), **details}
    gateway = accounts.create(name=name, provider=name, settings=settings, **details)
    GatewayHealth.objects.filter(gateway=gateway).update(proven=True)
    return gateway


def health_of(gateway: Gateway) -> GatewayHealth:
    return GatewayHealth.objects.get(gateway=gateway)


def fall_to(gateway: Gateway, amount: Decimal | str) -> int:
    """The level of warning that is shown when so much is left."""
    balance.record(gateway, Balance(Decimal(amount), "RUB"))
    return health_of(gateway).balance_warned


# Warnings


def test_each_of_three_warnings_is_given_once(gateway: Gateway) -> None:
    levels = [fall_to(gateway, amount) for amount in (ENOUGH, LOW, "70", LOWER, "0.01", NOTHING, "-5", NOTHING)]
    assert levels == [0, 1, 1, 2, 2, 3, 3, 3]
    assert heard == [Change.BALANCE] * 3


def test_a_balance_that_falls_at_once_to_nothing_warns_once(gateway: Gateway) -> None:
    assert fall_to(gateway, "-12.50") == 3
    assert heard == [Change.BALANCE]


def test_after_a_top_up_the_warnings_begin_anew(gateway: Gateway) -> None:
    for amount in (NOTHING, ENOUGH, LOW, LOWER, NOTHING):
        fall_to(gateway, amount)
    assert heard == [Change.BALANCE] * 4


def test_without_a_threshold_only_nothing_is_warned_of(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, balance_warning=None)
    assert [fall_to(gateway, amount) for amount in (LOW, LOWER, "0.01")] == [0, 0, 0]
    assert fall_to(gateway, NOTHING) == 3
    assert heard == [Change.BALANCE]


def test_workers_that_record_the_same_balance_at_once_warn_once(gateway: Gateway) -> None:
    assert at_once(lambda: fall_to(gateway, LOWER)) == [2] * 4
    assert heard == [Change.BALANCE]


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("-0.004", "0.00"),
        ("-3.5", "-3.50"),
        ("12.345678", "12.35"),
        ("999999999999.99", "999999999999.99"),
        ("1e30", "999999999999.99"),
        ("-1e30", "-999999999999.99"),
        ("0.00000000000000000000000000000000001", "0.00"),
    ],
)
def test_any_amount_fits_its_column(gateway: Gateway, amount: str, kept: str) -> None:
    balance.record(gateway, Balance(Decimal(amount), "a currency with a long name"))
    assert health_of(gateway).balance == Decimal(kept)
    assert health_of(gateway).currency == "a currency"


# Asking


def test_it_is_asked_every_half_hour_by_one_of_several_workers(gateway: Gateway) -> None:
    def asked() -> list[int]:
        return sorted(pk for found in at_once(balance.gateways_to_ask) for pk in found)

    with time_machine.travel(START, tick=False) as clock:
        assert asked() == [gateway.pk]
        clock.shift(timedelta(minutes=29, seconds=59))
        assert asked() == []
        clock.shift(timedelta(seconds=1))
        assert asked() == [gateway.pk]
        assert asked() == []


def test_who_cannot_tell_is_switched_off_or_is_refused_is_not_asked(simulator: Simulator, sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox)
    gateway_at(simulator, name="axelnac")
    gateway = gateway_at(simulator, enabled=False)
    assert balance.gateways_to_ask() == []
    accounts.change(gateway, enabled=True)
    health.record_fault(gateway.pk, CredentialsRefused("wrong key"))
    assert balance.gateways_to_ask() == []


def test_housekeeping_rings_once_and_a_worker_asks(gateway: Gateway, bells: list[tuple[str, tuple[Any, ...]]]) -> None:
    tasks.keep_accounts()
    tasks.keep_accounts()
    assert bells == [("gateways.tasks.ask_balance", (gateway.pk,))]
    tasks.ask_balance(gateway.pk)
    assert (health_of(gateway).balance, health_of(gateway).balance_warned) == (Decimal("4122.56"), 0)


def test_a_bell_that_cannot_be_rung_stops_no_housekeeping(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.ask_balance, "apply_async", broken)
    tasks.keep_accounts()
    assert health_of(gateway).balance is None


@pytest.mark.parametrize("failure", [NotSent("no connection"), Ambiguous("no answer"), RefusedForNow("later")])
def test_without_an_answer_the_last_known_balance_stays(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, failure: NotAccepted
) -> None:
    balance.ask(gateway.pk)

    def fetch(_request: HttpRequest, _timeout: float) -> HttpResponse:
        raise failure

    monkeypatch.setattr(transport, "fetch", fetch)
    balance.ask(gateway.pk)

    assert health_of(gateway).balance == Decimal("4122.56")
    assert health_of(gateway).faults == 0


def _cannot_build(_provider: Provider) -> HttpRequest:
    raise KeyError("url")


def _cannot_read(_provider: Provider, _response: HttpResponse) -> Balance:
    raise ValueError("secret-canary")


@pytest.mark.parametrize(("name", "broken"), [("balance", _cannot_build), ("read_balance", _cannot_read)])
def test_a_provider_file_that_fails_leaves_the_last_known_balance(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, broken: Any
) -> None:
    balance.ask(gateway.pk)
    monkeypatch.setattr(Provider, name, broken)
    balance.ask(gateway.pk)
    assert health_of(gateway).balance == Decimal("4122.56")
    assert "no balance" in caplog.text
    assert "canary" not in caplog.text


def test_a_question_that_shows_wrong_credentials_stops_the_gateway_and_is_not_repeated(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, wrong=True)
    balance.ask(gateway.pk)
    balance.ask(gateway.pk)
    assert health_of(gateway).refused_at
    assert heard == [Change.REFUSED]
    assert len(simulator.asked) == 1
    GatewayHealth.objects.update(balance_at=None)
    assert balance.gateways_to_ask() == []


# At a person's wish


def test_a_person_is_told_the_balance_and_it_is_kept(gateway: Gateway) -> None:
    found = balance.ask_now(gateway)
    kept = health_of(gateway)
    assert (found.works, found.says) == (True, f"the balance is {kept.balance} {kept.currency}")


def test_a_person_is_told_why_there_is_no_balance(simulator: Simulator) -> None:
    found = balance.ask_now(gateway_at(simulator, wrong=True))
    assert found.works is False
    assert found.says
    assert found.remedy


def test_a_person_is_told_that_a_provider_cannot_be_asked(sandbox: Gateway) -> None:
    assert balance.ask_now(sandbox).works is None


def test_a_person_is_told_that_the_providers_file_is_gone(gateway: Gateway) -> None:
    Gateway.objects.update(provider="gone")
    found = balance.ask_now(Gateway.objects.get())
    assert (found.works, found.says) == (False, "the provider's file is missing or does not take these settings")
