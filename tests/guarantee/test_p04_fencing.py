"""P4: a worker that was frozen past its lease can write nothing, and none of its bytes leaves once that may be over.

Every write of a worker is a compare-and-set on the epoch that its claim gave; every call ends before its lease does.

What no test here can show is left: a worker frozen exactly between its last look at the clock and its first byte, for
longer than the lease, writes that byte when it wakes. Nothing on our side can take it back. Where the provider knows
keys it is the same message to it; elsewhere the attempt is on record as unclear, and what may follow is bounded by P2.
"""

import inspect
from collections.abc import Callable
from copy import copy
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways import transport
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, SandboxSms
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    GatewayFault,
    NotAccepted,
    NotSent,
    Outcome,
    ReceiptState,
    Refused,
    RefusedForNow,
)
from gateways.providers.sandbox import Provider
from gateways.transport import Landing
from messaging import claiming, delivery, recovery, retries, settling
from messaging.models import Attempt, Message, State, Taken
from messaging.retries import ClearUp, Kind
from tests.guarantee import books
from tests.messaging.conftest import Send, begin, fresh, let_time_pass
from tests.simulators.faulty_server import FaultyServer, answers, http

pytestmark = pytest.mark.django_db

LONGER_THAN_A_LEASE = 120
#: Every change that somebody who holds a message can make to it; each says whether it was made.
CHANGES: dict[str, Callable[[Message], bool]] = {
    "mark_submitting": lambda message: bool(Message.mark_submitting([message], timezone.now())),
    "mark_submitted": lambda message: message.mark_submitted(Taken("x"), expects_receipt=True, may_ask=True),
    "postpone": lambda message: message.postpone("x", timedelta()),
    "hold": lambda message: message.hold("x"),
    "try_at_once": lambda message: message.try_at_once("x"),
    "move_to": lambda message: message.move_to(message.gateway, None),
    "release": lambda message: message.release(),
    "fail": lambda message: message.fail("x"),
    "mark_unclear": lambda message: message.mark_unclear("x", ClearUp.SAME_KEY, settle=timedelta()),
    "mark_absent": lambda message: message.mark_absent(),
    "ask_again": lambda message: message.ask_again(),
    "record_receipt": lambda message: message.record_receipt(ReceiptState.DELIVERED),
    "cancel": lambda message: message.cancel(None),
}
#: What the provider's file makes of an answer.
READ = [Accepted("ref-1"), Refused("x"), RefusedForNow("x"), GatewayFault("x"), Ambiguous("x")]


def claimed(gateway: Gateway) -> list[Message]:
    return claiming.claim(gateway)[0]


def take_over(gateway: Gateway) -> None:
    """What the first worker held is freed once its lease is over, and another worker begins with it."""
    let_time_pass(LONGER_THAN_A_LEASE)
    recovery.recover()
    # A text that may be sent again is due at once or later; here at once.
    Message.objects.filter(state=State.UNKNOWN).update(due_at=timezone.now())
    begin(gateway, claimed(gateway))


def test_every_change_is_in_the_table() -> None:
    """So that a change that is added later is tried by a frozen worker too."""
    methods = inspect.getmembers(Message, inspect.isfunction)
    ours = {name for name, method in methods if method.__module__ == Message.__module__ and name[0] != "_"}
    told = {name for name in ours if inspect.signature(getattr(Message, name)).return_annotation is bool}
    # Those that are made to many at once say to which.
    assert told | {"mark_submitting"} == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_is_made_by_whoever_lost_the_message(send: Send, sandbox: Gateway, name: str) -> None:
    send(kind=Kind.CREDENTIALS)
    (held,) = claimed(sandbox)
    in_an_hour = timezone.now() + timedelta(hours=1)
    for state in State:
        Message.objects.update(state=state, epoch=held.epoch + 1, lease_until=in_an_hour, ask_at=in_an_hour)
        before = books.copied()
        frozen = copy(held)
        assert not CHANGES[name](frozen)
        assert (books.copied(), frozen.state) == (before, held.state)


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_the_epoch_that_stops_them(send: Send, sandbox: Gateway, name: str) -> None:
    """So that the test above cannot pass by states alone: whoever has the message makes each change in some state."""
    send(kind=Kind.CREDENTIALS)
    (held,) = claimed(sandbox)
    in_an_hour = timezone.now() + timedelta(hours=1)
    made = set()
    for state in State:
        Message.objects.update(state=state, epoch=held.epoch, lease_until=in_an_hour, ask_at=in_an_hour)
        if CHANGES[name](copy(held)):
            made.add(state)
    assert made


def test_an_attempt_of_a_worker_that_slept_through_its_lease_is_not_even_put_on_record(
    send: Send, sandbox: Gateway
) -> None:
    send()
    frozen = claimed(sandbox)
    let_time_pass(LONGER_THAN_A_LEASE)
    before = books.copied()
    # Nobody has taken it over yet: the lease alone decides.
    assert begin(sandbox, frozen) == []
    assert books.copied() == before


@pytest.mark.parametrize("outcome", READ, ids=lambda outcome: type(outcome).__name__)
def test_whatever_answer_comes_back_to_a_frozen_worker_is_not_written_down(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, outcome: Accepted | NotAccepted
) -> None:
    def read(_provider: Provider, _response: HttpResponse) -> Accepted:
        if isinstance(outcome, NotAccepted):
            raise outcome
        return outcome

    monkeypatch.setattr(Provider, "read_submit", read)
    settle_too_late(send, sandbox, HttpResponse(200, {}, b""), None)


@pytest.mark.parametrize("failure", [NotSent("x"), Ambiguous("x")], ids=lambda failure: type(failure).__name__)
def test_a_failure_of_the_network_is_not_written_down_by_a_frozen_worker_either(
    send: Send, sandbox: Gateway, failure: NotSent | Ambiguous
) -> None:
    settle_too_late(send, sandbox, None, failure)


def settle_too_late(
    send: Send, gateway: Gateway, response: HttpResponse | None, failure: NotSent | Ambiguous | None
) -> None:
    """The answer lands when another worker is handing the same message over: in the same state, by another epoch."""
    message = send(kind=Kind.CREDENTIALS)
    ((frozen, attempt, _request),) = begin(gateway, claimed(gateway))
    take_over(gateway)
    assert fresh(message).state == State.SUBMITTING
    before = books.copied()
    settling.settle([(frozen, attempt, Landing(attempt.pk, response, failure))])
    assert books.copied() == before


@pytest.mark.usefixtures("network")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_begins_just_when_it_is_taken_for_dead_sends_once(send: Send, sandbox: Gateway) -> None:
    """Whoever frees what dead workers held read the message before, and does not take it from a living one."""
    # Like most providers: it knows no keys and cannot be asked.
    sandbox.settings = {"understands_keys": False, "answers_look_ups": False}
    sandbox.save()
    message = send()
    mine = claimed(sandbox)
    as_recovery_read_it = fresh(message)
    started = begin(sandbox, mine)
    recovery._recover_one(as_recovery_read_it)
    assert fresh(message).state == State.SUBMITTING
    flight = transport.Flight()
    flight.launch([delivery._call(*one) for one in started])
    ((_, attempt, _),) = started
    settling.settle([(message, attempt, landing) for landing in flight.landed(5)])
    delivery.drain(sandbox.pk)
    assert SandboxSms.objects.count() == 1


def test_what_a_dead_worker_had_begun_is_unclear_and_its_attempt_says_so(send: Send, sandbox: Gateway) -> None:
    message = send()
    begin(sandbox, claimed(sandbox))
    let_time_pass(LONGER_THAN_A_LEASE)
    recovery.recover()
    assert fresh(message).state == State.UNKNOWN
    assert list(Attempt.objects.values_list("outcome", flat=True)) == [Outcome.AMBIGUOUS]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timeout=st.integers(1, 600), asleep=st.floats(0, 700))
def test_a_call_is_over_before_its_lease_whenever_it_begins(sandbox: Gateway, timeout: int, asleep: float) -> None:
    """Begun at the latest moment that it may be, it still ends before another worker may take over."""
    now = timezone.now()
    gateway = Gateway(timeout=timeout)
    lease_until = now + timedelta(seconds=timeout - asleep) + retries.LEASE_MARGIN
    message = Message(lease_until=lease_until, valid_until=now + timedelta(hours=24))
    call = delivery._call(message, Attempt(pk=1, gateway=gateway), HttpRequest("POST", "http://127.0.0.1:9/"))
    assert call.not_after + timedelta(seconds=call.timeout) < lease_until
    # And a worker that was not asleep has time to begin.
    assert asleep or call.not_after > now


@pytest.mark.usefixtures("network")
def test_a_worker_that_wakes_after_its_attempt_was_put_on_record_connects_to_nobody(
    send: Send, sandbox: Gateway
) -> None:
    """It looks at the clock before it connects; and again right before the first byte, as tests of the network show."""
    send()
    ((message, attempt, _request),) = begin(sandbox, claimed(sandbox))
    assert message.lease_until
    message.lease_until -= timedelta(seconds=LONGER_THAN_A_LEASE)
    with FaultyServer(answers(http())) as provider:
        flight = transport.Flight()
        flight.launch([delivery._call(message, attempt, HttpRequest("POST", provider.url))])
        (landing,) = flight.landed(10)
        assert isinstance(landing.failure, NotSent)
        assert (provider.connections, provider.requests) == (0, [])
