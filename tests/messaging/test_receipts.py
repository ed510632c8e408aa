"""P9: receipts in any order, repeated, early or for strangers lead to one final state."""

from itertools import permutations

import pytest
from django.utils import timezone

from gateways.models import Gateway
from gateways.outcomes import Receipt, ReceiptState
from messaging import receipts, retries
from messaging.models import Attempt, DeliveryEvent, Message, State
from tests.messaging.conftest import Send, fresh, let_time_pass

pytestmark = pytest.mark.django_db

DELIVERED, UNDELIVERED, EXPIRED = (
    Receipt("ref-1", state) for state in (ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.EXPIRED)
)


@pytest.fixture
def submitted(send: Send, sandbox: Gateway) -> Message:
    """Handed over; the provider called it ref-1."""
    message = send()
    Attempt.objects.create(
        message=message, gateway=sandbox, epoch=1, key=message.key, reference="ref-1", reference_key="ref-1"
    )
    Message.objects.update(
        state=State.SUBMITTED, reference="ref-1", due_at=None, submitted_at=timezone.now(), ask_at=timezone.now()
    )
    return fresh(message)


@pytest.mark.parametrize("order", list(permutations([DELIVERED, UNDELIVERED, EXPIRED])))
def test_delivered_wins_in_any_order(submitted: Message, sandbox: Gateway, order: tuple[Receipt, ...]) -> None:
    for receipt in order:
        receipts.record(sandbox, [receipt])
    assert (fresh(submitted).state, fresh(submitted).text) == (State.DELIVERED, None)
    assert DeliveryEvent.objects.filter(message=submitted).count() == 3


@pytest.mark.parametrize("receipt", [DELIVERED, UNDELIVERED, EXPIRED])
def test_a_repeated_receipt_changes_nothing(submitted: Message, sandbox: Gateway, receipt: Receipt) -> None:
    receipts.record(sandbox, [receipt])
    first = fresh(submitted)
    receipts.record(sandbox, [receipt, receipt])
    assert (fresh(submitted).state, fresh(submitted).finished_at) == (first.state, first.finished_at)


def test_a_receipt_that_came_before_our_own_commit_is_matched_with_it(submitted: Message, sandbox: Gateway) -> None:
    Attempt.objects.update(reference="", reference_key="")
    receipts.record(sandbox, [DELIVERED])
    assert fresh(submitted).state == State.SUBMITTED
    Attempt.objects.update(reference="ref-1", reference_key="ref-1")
    receipts.match_early_ones(sandbox, ["ref-1"])
    assert fresh(submitted).state == State.DELIVERED
    assert DeliveryEvent.objects.get().message == submitted


def test_a_receipt_for_a_stranger_is_kept_and_touches_nobody(submitted: Message, sandbox: Gateway) -> None:
    receipts.record(sandbox, [Receipt("ref-2", ReceiptState.UNDELIVERED), Receipt("", ReceiptState.UNDELIVERED)])
    assert fresh(submitted).state == State.SUBMITTED
    assert list(DeliveryEvent.objects.values_list("message", flat=True)) == [None, None]


def test_a_receipt_of_another_gateway_is_not_ours(submitted: Message) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    receipts.record(other, [UNDELIVERED])
    assert fresh(submitted).state == State.SUBMITTED


@pytest.mark.parametrize("state", [State.NO_RECEIPT, State.UNDELIVERED, State.EXPIRED, State.UNRESOLVED])
def test_a_late_receipt_still_improves_what_we_know(submitted: Message, sandbox: Gateway, state: State) -> None:
    Message.objects.update(state=state)
    receipts.record(sandbox, [DELIVERED])
    assert fresh(submitted).state == State.DELIVERED


@pytest.mark.parametrize("state", [State.CANCELLED, State.LAPSED, State.FAILED, State.QUEUED])
def test_a_receipt_cannot_move_what_was_never_handed_over(submitted: Message, sandbox: Gateway, state: State) -> None:
    Message.objects.update(state=state)
    receipts.record(sandbox, [DELIVERED])
    assert fresh(submitted).state == state


def test_a_message_on_its_way_is_not_written_down(submitted: Message, sandbox: Gateway) -> None:
    receipts.record(sandbox, [Receipt("ref-1", ReceiptState.PENDING)])
    assert not DeliveryEvent.objects.exists()
    assert fresh(submitted).state == State.SUBMITTED


def test_a_gateway_that_cannot_answer_is_asked_again_later(submitted: Message, sandbox: Gateway) -> None:
    Gateway.objects.update(provider="gone")
    receipts.ask(sandbox.pk)
    again = fresh(submitted)
    assert (again.state, again.asked) == (State.SUBMITTED, 1)
    assert again.ask_at
    assert again.ask_at > timezone.now()


def test_two_workers_do_not_ask_about_the_same_message(submitted: Message, sandbox: Gateway) -> None:
    assert receipts.take_turn(sandbox, State.SUBMITTED) == [submitted]
    assert receipts.take_turn(sandbox, State.SUBMITTED) == []
    let_time_pass(sandbox.timeout + retries.LEASE_MARGIN.total_seconds())
    assert receipts.take_turn(sandbox, State.SUBMITTED) == [submitted]
