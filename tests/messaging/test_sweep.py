"""The sweep: every step has its turn, whatever ails the others."""

import pytest

from gateways import providers
from gateways.models import Gateway, GatewayHealth
from messaging import claiming, failover, inbound, tasks
from messaging.models import Message, State
from portal import health
from tests.messaging.conftest import Send, fresh, let_time_pass

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("step", [(failover, "move_away"), (claiming, "gateways_with_due"), (inbound, "due_to_fetch")])
def test_a_step_that_fails_stops_no_other(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    message = send()
    claiming.claim(sandbox)
    let_time_pass(60)

    def broken() -> None:
        raise ValueError("out of order")

    beats: list[str] = []
    monkeypatch.setattr(*step, broken)
    monkeypatch.setattr(health, "beat", beats.append)
    with pytest.raises(ValueError, match="out of order"):
        tasks.sweep()
    assert fresh(message).state == State.QUEUED
    assert len(beats) == 1


def test_a_provider_whose_file_is_broken_is_not_asked_for_inbound_messages(
    sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_name: str) -> None:
        raise SyntaxError("half a file")

    monkeypatch.setattr(providers, "load", broken)
    assert inbound.due_to_fetch() == []


@pytest.mark.usefixtures("noon")
def test_a_worker_that_died_before_it_sent_leaves_the_daily_limit_alone(send: Send, sandbox: Gateway) -> None:
    Gateway.objects.update(daily_limit=1)
    sandbox.refresh_from_db()
    message = send()
    assert len(claiming.claim(sandbox)[0]) == 1
    assert GatewayHealth.objects.get().day_count == 1
    let_time_pass(60)
    tasks.sweep()
    assert GatewayHealth.objects.get().day_count == 0
    assert Message.objects.get(pk=message.pk).state == State.QUEUED
