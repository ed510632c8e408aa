"""P6: whatever the portal was doing when it went down for a day, nothing is submitted past its `valid_until`.

A stale "your code is 1234" is worse than none, and a heap of them at once is what people remember of an outage.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth, SandboxSms
from messaging import claiming, delivery, retries, tasks
from messaging.models import FINAL, LEASED, Attempt, Message, State, Wait
from messaging.retries import Kind
from tests.messaging.conftest import Send, begin, fresh, let_time_pass, make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

A_DAY = 24 * 3600
#: The sandbox loses the first request for it, and nobody can tell.
REQUEST_LOST = "+79990000008"


def queued(_gateway: Gateway) -> None:
    """No worker had looked at it yet."""


def scheduled(_gateway: Gateway) -> None:
    """Accepted for a later time, which came while nobody was there."""
    Message.objects.update(due_at=timezone.now() + timedelta(minutes=1), waits_for=Wait.SCHEDULE)


def held(_gateway: Gateway) -> None:
    """Its gateway was paused."""
    Message.objects.update(state=State.HELD, waits_for=Wait.GATEWAY)


def being_claimed(gateway: Gateway) -> None:
    """A worker had taken it, and no attempt was on record."""
    claiming.claim(gateway)


def being_handed_over(gateway: Gateway) -> None:
    """Its attempt was on record, and bytes may have left."""
    begin(gateway, claiming.claim(gateway)[0])


def unclear(gateway: Gateway) -> None:
    """The provider's answer was lost; it knows keys, so the message would be sent again with the same one."""
    Message.objects.update(phone=REQUEST_LOST)
    delivery.drain(gateway.pk)
    assert set(Message.objects.values_list("state", flat=True)) == {State.UNKNOWN}


STATES = [queued, scheduled, held, being_claimed, being_handed_over, unclear]


@pytest.fixture
def one_of_each(send: Send, sandbox: Gateway) -> list[Message]:
    """A message of every kind, and a gateway that may send all of them at once."""
    GatewayHealth.objects.update(proven=True)
    return [send(kind=kind) for kind in Kind]


def go_by(seconds: float) -> None:
    """So much time passes. When each message was accepted stays on record: its key at its provider is made of that."""
    accepted = dict(Message.objects.values_list("pk", "created"))
    let_time_pass(seconds)
    for key, created in accepted.items():
        Message.objects.filter(pk=key).update(created=created)


def work_again(gateway: Gateway) -> None:
    """Workers and beat are back: more sweeps and drains than anything waits for."""
    for _ in range(4):
        make_due()
        tasks.sweep()
        delivery.drain(gateway.pk)


@pytest.mark.parametrize("stood_at", STATES, ids=lambda stood_at: stood_at.__name__)
def test_after_a_day_away_nothing_is_handed_over_any_more(
    one_of_each: list[Message], sandbox: Gateway, stood_at: Callable[[Gateway], None]
) -> None:
    stood_at(sandbox)
    attempts, arrived = Attempt.objects.count(), SandboxSms.objects.count()
    go_by(A_DAY + 1)
    work_again(sandbox)
    assert (Attempt.objects.count(), SandboxSms.objects.count()) == (attempts, arrived)
    # And each is at an end that says what happened: too late, or left to a person where it may have been sent.
    end = State.UNRESOLVED if stood_at in {being_handed_over, unclear} else State.LAPSED
    assert {fresh(message).state for message in one_of_each} == {end}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("stood_at", STATES, ids=lambda stood_at: stood_at.__name__)
def test_what_is_still_valid_is_sent_when_the_portal_is_back(
    send: Send, sandbox: Gateway, kind: Kind, stood_at: Callable[[Gateway], None]
) -> None:
    """So that the test above cannot pass because nothing is ever sent again."""
    message = send(kind=kind)
    stood_at(sandbox)
    go_by(retries.RULES[kind].validity.total_seconds() - 30)
    work_again(sandbox)
    assert fresh(message).state == State.SUBMITTED
    assert SandboxSms.objects.count() == 1


def test_what_was_claimed_in_time_does_not_begin_past_its_validity(send: Send, sandbox: Gateway) -> None:
    send()
    claimed, _ = claiming.claim(sandbox)
    Message.objects.update(valid_until=timezone.now() - timedelta(seconds=1))
    assert begin(sandbox, claimed) == []
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("valid_for", [1, 5, 3600])
def test_what_began_in_time_writes_no_byte_past_its_validity(send: Send, sandbox: Gateway, valid_for: int) -> None:
    send()
    (message,), _ = claiming.claim(sandbox)
    message.valid_until = timezone.now() + timedelta(seconds=valid_for)
    ((_, attempt, request),) = begin(sandbox, [message])
    assert delivery._call(message, attempt, request).not_after <= message.valid_until


def test_nothing_that_is_over_is_ever_begun_again(one_of_each: list[Message], sandbox: Gateway) -> None:
    """No state in which nothing more happens may come back into the queue by a sweep, however long it lies there."""
    for state in FINAL:
        Message.objects.update(state=state, due_at=timezone.now(), lease_until=timezone.now(), ask_at=timezone.now())
        work_again(sandbox)
        assert set(Message.objects.values_list("state", flat=True)) <= set(FINAL)
        assert not Message.objects.filter(state__in=LEASED).exists()
    assert not Attempt.objects.exists()
