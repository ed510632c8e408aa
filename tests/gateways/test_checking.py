"""What *check connection* finds out: what works, what does not and why; and that it sends nothing."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django import forms
from pytest_django import Settings

from gateways import accounts, changes, checking, health, providers, sessions, transport
from gateways.changes import Change
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, GatewayHealth, GatewaySession
from gateways.outcomes import CredentialsRefused, GatewayFault, NotSent
from gateways.provider import BaseProvider
from gateways.providers.sms_ru import Provider
from tests.gateways.conftest import at_once
from tests.simulators.peers import axelnac
from tests.simulators.server import Fault, Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

heard: list[Change] = []


def hear(_gateway_id: int, change: Change) -> None:
    heard.append(change)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("axelnac", "runtel", "sms_ru", "smsc_ru") as running:
        yield running


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Change]]:
    """What is told of the gateway from now on."""
    monkeypatch.setattr(changes, "LISTENERS", [f"{__name__}.hear"])
    heard.clear()
    yield heard
    heard.clear()


def gateway_at(simulator: Simulator, name: str, *, wrong: bool = False) -> Gateway:
    peer = simulator.peers[name]
    return accounts.create(
        name=name, provider=name, settings=peer.wrong_settings() if wrong else peer.settings(), timeout=60
    )


def health_of(gateway: Gateway) -> GatewayHealth:
    return GatewayHealth.objects.get(gateway=gateway)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("axelnac", "the login is accepted and has the rights that sending needs"),
        ("runtel", "the login is accepted"),
        ("sms_ru", "the provider knows this API key"),
        ("smsc_ru", "the balance is 337.03 RUR"),
    ],
)
def test_settings_that_work_are_proven_and_nothing_is_sent(simulator: Simulator, name: str, says: str) -> None:
    gateway = gateway_at(simulator, name)
    found = checking.check(gateway)
    assert (found.works, found.says, found.remedy) == (True, says, "")
    assert health_of(gateway).proven
    assert simulator.taken == []


@pytest.mark.parametrize("name", ["axelnac", "runtel", "sms_ru", "smsc_ru"])
def test_each_press_of_the_button_tries_wrong_credentials_once(simulator: Simulator, name: str) -> None:
    gateway = gateway_at(simulator, name, wrong=True)
    for presses in (1, 2):
        found = checking.check(gateway)
        assert found.works is False
        assert "refuse" in found.says or "does not know" in found.says
        assert found.remedy
        assert len(simulator.asked) == presses
    assert health_of(gateway).refused_at


@pytest.mark.parametrize("name", ["axelnac", "sms_ru"])
def test_credentials_that_work_again_release_the_gateway(
    simulator: Simulator, listening: list[Change], name: str
) -> None:
    gateway = gateway_at(simulator, name)
    health.record_fault(gateway.pk, CredentialsRefused("the host was blocked"))
    assert checking.check(gateway).works
    found = health_of(gateway)
    assert (found.refused_at, found.proven) == (None, True)
    assert listening == [Change.REFUSED, Change.SETTINGS]


def test_it_ends_a_pause_where_all_is_well(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "sms_ru")
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    assert checking.check(gateway).works
    assert health.paused_until(gateway.pk) is None
    assert health.limit(gateway) == gateway.max_in_flight


def test_a_fault_of_the_account_is_told_with_its_own_remedy(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "axelnac")
    peer = simulator.peers["axelnac"]
    assert isinstance(peer, axelnac.Peer)
    peer.rights.discard("SMS_GATEWAY_READ")
    found = checking.check(gateway)
    assert found.works is False
    assert "SMS_GATEWAY_READ" in found.says
    assert "role Administrator" in found.remedy
    assert health_of(gateway).refused_at is None
    assert not health_of(gateway).proven


def test_it_logs_in_anew_even_where_there_is_a_token(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "axelnac")
    sessions.enter(gateway)
    simulator.faults = {Fault.BAD_CREDENTIALS}
    assert checking.check(gateway).works is False
    assert simulator.logins == {"axelnac": 2}


def test_a_provider_that_cannot_be_reached_says_so_and_stops_nothing(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_at(simulator, "sms_ru")

    def unreachable(_request: HttpRequest, _timeout: float) -> HttpResponse:
        raise NotSent("nothing was sent: the host name was not found")

    monkeypatch.setattr(transport, "fetch", unreachable)
    found = checking.check(gateway)
    assert (found.works, found.says) == (False, "nothing was sent: the host name was not found")
    assert health_of(gateway).refused_at is None
    assert health_of(gateway).faults == 0


def test_an_answer_that_nobody_can_read_is_no_proof(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = gateway_at(simulator, "sms_ru")

    def read(_provider: Provider, _response: HttpResponse) -> str:
        raise KeyError("secret-canary")

    monkeypatch.setattr(Provider, "read_check", read)
    found = checking.check(gateway)
    assert found.works is False
    assert "KeyError" in found.says
    assert "canary" not in found.says
    assert not health_of(gateway).proven


def test_while_another_login_is_under_way_it_asks_to_wait(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_at(simulator, "axelnac")

    def busy(*_: Any, **__: Any) -> sessions.Entry:
        raise sessions.Busy

    monkeypatch.setattr(sessions, "enter", busy)
    found = checking.check(gateway)
    assert (found.works, found.says) == (None, "another login is under way; check again in a moment")


def test_checks_at_the_same_time_all_find_the_same(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "axelnac")
    found = at_once(lambda: checking.check(Gateway.objects.get(pk=gateway.pk)))
    assert {finding.works for finding in found} <= {True, None}
    assert True in {finding.works for finding in found}
    assert GatewaySession.objects.get(gateway=gateway).busy_until is None
    assert health_of(gateway).faults == 0


class Mute(BaseProvider):
    """Can only be sent through."""

    label = "Mute"
    secrets: ClassVar = ("password",)

    class Config(forms.Form):
        password = forms.CharField()


class Broken(Mute):
    """Its file fails at the question."""

    def check(self) -> HttpRequest:
        raise ZeroDivisionError


class Unopened(Mute):
    """Its file fails before any question."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise ZeroDivisionError


@pytest.fixture
def odd_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, type[BaseProvider]] = {"mute": Mute, "broken": Broken, "unopened": Unopened}
    monkeypatch.setattr(providers, "names", lambda: tuple(known))
    monkeypatch.setattr(providers, "load", known.__getitem__)


@pytest.mark.parametrize(
    ("name", "works", "says"),
    [
        ("mute", None, "cannot be asked anything but to send"),
        ("broken", False, "file is missing"),
        ("unopened", False, "file is missing"),
        ("gone", False, "file is missing"),
    ],
)
def test_an_odd_provider_file_is_named(odd_ones: None, name: str, *, works: bool | None, says: str) -> None:
    gateway = accounts.create(name="odd", provider="mute", settings={"password": "p"})
    Gateway.objects.update(provider=name)
    found = checking.check(Gateway.objects.get())
    assert found.works is works
    assert says in found.says
    assert not health_of(gateway).proven


def test_settings_whose_key_is_missing_are_named(simulator: Simulator, settings: Settings) -> None:
    gateway = gateway_at(simulator, "sms_ru")
    settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
    found = checking.check(Gateway.objects.get(pk=gateway.pk))
    assert found.works is False
    assert "ENCRYPTION_KEYS" in found.says
    assert simulator.asked == []
