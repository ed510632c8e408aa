"""What webhooks are told of gateways: each change of state once, and the balance at each warning."""

from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from gateways import balance, health
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Balance, CredentialsRefused, GatewayFault
from messaging import event_types
from messaging.models import GatewayTold
from messaging.webhooks import gateways_told
from tests.messaging.hooks import listen, said, told

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = ("gateway.down", "gateway.up", "balance.low")


@pytest.fixture
def gateway(sandbox: Gateway) -> Gateway:
    listen(*EVENTS)
    GatewayHealth.objects.create(gateway=sandbox, proven=True)
    return sandbox


def types() -> list[str]:
    return [body["type"] for body in told()]


def end_the_pause(gateway: Gateway) -> None:
    health.end_pause(gateway.pk)


def test_a_gateway_that_fails_again_and_again_is_down_once(gateway: Gateway) -> None:
    for _ in range(3):
        health.record_fault(gateway.pk, GatewayFault("no funds"))
        end_the_pause(gateway)
    assert types() == ["gateway.down"]
    health.record_success(gateway.pk)
    assert types() == ["gateway.down", "gateway.up"]
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    assert types() == ["gateway.down", "gateway.up", "gateway.down"]


def test_refused_credentials_are_told_with_the_reason_and_mended_settings_end_it(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, CredentialsRefused("401 Unauthorized"))
    (data,) = said("gateway.down")
    sample = event_types.named("gateway.down")
    assert sample
    assert set(data) == set(sample.sample)
    assert (data["state"], data["reason"], data["paused_until"]) == ("credentials_refused", "401 Unauthorized", None)
    health.begin_anew(gateway.pk)
    assert said("gateway.up") == [{"sms_gateway": "sandbox"}]


def test_no_phone_is_told_that_a_provider_names_in_its_reason(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds for +79161112233"))
    (data,) = said("gateway.down")
    assert data["reason"] == "no funds for +7916•••••33"


def test_a_pause_says_until_when(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    (data,) = said("gateway.down")
    assert data["state"] == "paused"
    assert data["paused_until"] > data["since"]


def test_the_balance_is_told_at_each_level_once(gateway: Gateway) -> None:
    gateway.balance_warning = Decimal(100)
    gateway.save()
    for amount in (120, 95, 90, 40, 0, 120, 95):
        balance.record(gateway, Balance(Decimal(amount), "RUB"))
        gateways_told.look_at_all()
    assert [(data["level"], data["balance"]) for data in said("balance.low")] == [
        (1, "95.00"), (2, "40.00"), (3, "0.00"), (1, "95.00"),
    ]  # fmt: skip
    sample = event_types.named("balance.low")
    assert sample
    assert set(said("balance.low")[0]) == set(sample.sample)


def test_what_a_process_that_died_had_not_told_housekeeping_tells(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateways.changes.LISTENERS", [])
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    assert types() == []
    gateways_told.look_at_all()
    gateways_told.look_at_all()
    assert types() == ["gateway.down"]


def test_however_many_are_down_they_are_read_at_once(
    gateway: Gateway, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    gateways_told.look_at_all()
    with django_assert_num_queries(2):
        gateways_told.look_at_all()


def test_whoever_listens_later_is_not_told_of_what_was_before(sandbox: Gateway) -> None:
    health.record_fault(sandbox.pk, GatewayFault("no funds"))
    assert GatewayTold.objects.get().down
    listen(*EVENTS)
    gateways_told.look_at_all()
    assert types() == []
    health.begin_anew(sandbox.pk)
    assert types() == ["gateway.up"]
