"""From the queue to the sandbox and back, through the real transport: every outcome, and every way a worker can die."""

import pytest
from django.utils import timezone

from gateways import health
from gateways.models import Gateway, GatewayHealth, SandboxSms
from gateways.outcomes import Outcome
from messaging import claiming, delivery, receipts, recovery, retries, waiting
from messaging.drains import Busy
from messaging.models import Attempt, DeliveryEvent, Message, State, Wait
from messaging.retries import Kind
from tests.messaging.conftest import Send, begin, fresh, let_time_pass, make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

DELIVERED, UNDELIVERED, REFUSED, NOT_SENT, ANSWER_LOST = (f"+7999000000{n}" for n in range(1, 6))
LATE_RECEIPT, REQUEST_LOST, EXPIRED = "+79990000007", "+79990000008", "+79990000009"


def outcomes(message: Message) -> list[str]:
    return list(message.attempts.values_list("outcome", flat=True))


def receive_receipts(gateway: Gateway) -> None:
    SandboxSms.objects.update(settles_at=timezone.now())
    make_due()
    receipts.ask(gateway.pk)


def settings_of(gateway: Gateway, **settings: bool) -> None:
    gateway.settings = settings
    gateway.save()


def test_an_ordinary_message_is_handed_over_and_delivered(send: Send, sandbox: Gateway) -> None:
    message = send(text="Пароль: 123 🙂")
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.SUBMITTED
    assert SandboxSms.objects.get().text == "Пароль: 123 🙂"
    receive_receipts(sandbox)
    assert (fresh(message).state, fresh(message).text) == (State.DELIVERED, None)
    assert DeliveryEvent.objects.get().message == message


@pytest.mark.parametrize(("phone", "state"), [(UNDELIVERED, State.UNDELIVERED), (EXPIRED, State.EXPIRED)])
def test_a_bad_receipt_keeps_the_text_so_that_it_can_be_sent_again(
    send: Send, sandbox: Gateway, phone: str, state: State
) -> None:
    message = send(phone=phone)
    delivery.drain(sandbox.pk)
    receive_receipts(sandbox)
    assert fresh(message).state == state
    assert fresh(message).text


def test_a_late_receipt_is_asked_for_again(send: Send, sandbox: Gateway) -> None:
    message = send(phone=LATE_RECEIPT)
    delivery.drain(sandbox.pk)
    make_due()
    receipts.ask(sandbox.pk)
    assert (fresh(message).state, fresh(message).asked) == (State.SUBMITTED, 1)
    receive_receipts(sandbox)
    assert fresh(message).state == State.DELIVERED


def test_a_refused_message_fails_at_once(send: Send, sandbox: Gateway) -> None:
    message = send(phone=REFUSED)
    delivery.drain(sandbox.pk)
    assert (fresh(message).state, outcomes(message)) == (State.FAILED, [Outcome.REFUSED])
    assert fresh(message).reason


def test_a_message_that_did_not_leave_is_tried_again_and_says_why_it_waits(send: Send, sandbox: Gateway) -> None:
    message = send(phone=NOT_SENT)
    delivery.drain(sandbox.pk)
    waiting = fresh(message)
    assert (waiting.state, waiting.waits_for) == (State.QUEUED, Wait.RETRY)
    assert waiting.failures == len(outcomes(message)) >= 1
    assert set(outcomes(message)) == {Outcome.NOT_SENT}


def test_a_message_that_never_leaves_lapses_and_is_never_called_failed(send: Send, sandbox: Gateway) -> None:
    message = send(phone=NOT_SENT, kind=Kind.CODE)
    delivery.drain(sandbox.pk)
    let_time_pass(700)
    recovery.recover()
    assert (fresh(message).state, fresh(message).text) == (State.LAPSED, None)


@pytest.mark.parametrize("phone", [ANSWER_LOST, REQUEST_LOST])
def test_with_a_key_an_unclear_message_is_sent_again_and_arrives_once(send: Send, sandbox: Gateway, phone: str) -> None:
    message = send(phone=phone)
    delivery.drain(sandbox.pk)
    while fresh(message).state == State.UNKNOWN:
        make_due()
        delivery.drain(sandbox.pk)
    assert outcomes(message) == [Outcome.AMBIGUOUS, Outcome.ACCEPTED]
    assert fresh(message).state == State.SUBMITTED
    assert SandboxSms.objects.count() == 1
    receive_receipts(sandbox)
    assert fresh(message).state == State.DELIVERED


def test_with_a_look_up_a_lost_answer_is_found(send: Send, sandbox: Gateway) -> None:
    settings_of(sandbox, understands_keys=False)
    message = send(phone=ANSWER_LOST)
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.UNKNOWN
    make_due()
    recovery.look_up(sandbox.pk)
    assert (fresh(message).state, outcomes(message)) == (State.SUBMITTED, [Outcome.AMBIGUOUS])
    receive_receipts(sandbox)
    assert fresh(message).state == State.DELIVERED
    assert SandboxSms.objects.count() == 1


def test_with_a_look_up_a_message_proven_absent_is_sent(send: Send, sandbox: Gateway) -> None:
    settings_of(sandbox, understands_keys=False)
    message = send(phone=REQUEST_LOST)
    delivery.drain(sandbox.pk)
    make_due()
    recovery.look_up(sandbox.pk)
    assert (fresh(message).state, fresh(message).unclear) == (State.QUEUED, 0)


def test_without_key_and_look_up_information_is_left_to_a_person(send: Send, sandbox: Gateway) -> None:
    settings_of(sandbox, understands_keys=False, answers_look_ups=False)
    message = send(phone=ANSWER_LOST)
    delivery.drain(sandbox.pk)
    assert (fresh(message).state, outcomes(message)) == (State.UNRESOLVED, [Outcome.AMBIGUOUS])
    assert fresh(message).text
    assert SandboxSms.objects.count() == 1


def test_without_key_and_look_up_credentials_are_repeated_once_at_the_most(send: Send, sandbox: Gateway) -> None:
    settings_of(sandbox, understands_keys=False, answers_look_ups=False)
    message = send(phone=ANSWER_LOST, kind=Kind.CREDENTIALS)
    for _ in range(4):
        make_due()
        delivery.drain(sandbox.pk)
    unclear = outcomes(message).count(Outcome.AMBIGUOUS)
    assert len(outcomes(message)) == 2
    assert SandboxSms.objects.count() <= 1 + unclear


def test_without_receipts_handed_over_is_the_end(send: Send, sandbox: Gateway) -> None:
    settings_of(sandbox, receipts=False)
    message = send()
    delivery.drain(sandbox.pk)
    assert (fresh(message).state, fresh(message).text) == (State.NO_RECEIPT, None)


def test_the_urgent_goes_first(send: Send, sandbox: Gateway) -> None:
    kinds = [Kind.INFORMATION, Kind.CREDENTIALS, Kind.CODE]
    for kind in kinds:
        send(kind=kind)
    claimed, _ = claiming.claim(sandbox)
    assert [message.kind for message in claimed] == kinds[::-1]


def test_no_more_are_in_flight_than_the_gateway_allows(send: Send, sandbox: Gateway) -> None:
    sandbox.max_in_flight = 3
    sandbox.save()
    for _ in range(5):
        send()
    first, _ = claiming.claim(sandbox)
    second, _ = claiming.claim(sandbox)
    assert (len(first), len(second)) == (3, 0)


def test_a_claimed_message_whose_worker_died_is_sent_by_another(send: Send, sandbox: Gateway) -> None:
    message = send()
    claiming.claim(sandbox)
    let_time_pass(60)
    recovery.recover()
    assert fresh(message).state == State.QUEUED
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.SUBMITTED


def test_a_message_being_handed_over_when_its_worker_died_is_unclear(send: Send, sandbox: Gateway) -> None:
    message = send()
    claimed, _ = claiming.claim(sandbox)
    begin(sandbox, claimed)
    let_time_pass(60)
    recovery.recover()
    assert (fresh(message).state, fresh(message).waits_for) == (State.UNKNOWN, Wait.CLEARING)
    assert outcomes(message) == [Outcome.AMBIGUOUS]


def test_two_workers_never_get_the_same_message(send: Send, sandbox: Gateway) -> None:
    for _ in range(4):
        send()
    first, _ = claiming.claim(sandbox)
    second, _ = claiming.claim(sandbox)
    assert len(first) == 4
    assert second == []


def test_after_three_days_without_a_receipt_we_say_that_we_know_no_more(send: Send, sandbox: Gateway) -> None:
    message = send()
    delivery.drain(sandbox.pk)
    let_time_pass(retries.NO_RECEIPT_AFTER.total_seconds() + 1)
    recovery.recover()
    assert (fresh(message).state, fresh(message).text) == (State.NO_RECEIPT, None)


def test_a_text_that_nobody_may_send_again_is_wiped(send: Send, sandbox: Gateway) -> None:
    message = send(phone=REFUSED)
    delivery.drain(sandbox.pk)
    recovery.recover()
    assert fresh(message).text
    let_time_pass(24 * 3600 + 1)
    recovery.recover()
    assert fresh(message).text is None


@pytest.mark.parametrize("state", [State.SUBMITTED, State.UNKNOWN, State.NO_RECEIPT, State.UNRESOLVED])
def test_no_text_outlives_its_day_in_any_state(send: Send, state: State) -> None:
    message = send()
    Message.objects.update(state=state, due_at=None, ask_at=timezone.now())
    recovery.recover()
    assert fresh(message).text
    let_time_pass(24 * 3600 + 1)
    recovery.recover()
    assert fresh(message).text is None


def test_an_unclear_message_is_not_looked_up_for_ever(send: Send) -> None:
    message = send()
    Message.objects.update(state=State.UNKNOWN, due_at=None, ask_at=timezone.now())
    let_time_pass(retries.NO_RECEIPT_AFTER.total_seconds() + 1)
    recovery.recover()
    assert fresh(message).state == State.UNRESOLVED


def test_a_mended_gateway_sends_what_it_held(send: Send, sandbox: Gateway) -> None:
    message = send()
    Gateway.objects.update(provider="gone")
    delivery.drain(sandbox.pk)
    Gateway.objects.update(provider="sandbox")
    assert claiming.gateways_with_due() == []
    GatewayHealth.objects.update(open_until=None, faults=0)
    make_due()
    assert claiming.gateways_with_due() == [sandbox.pk]
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.SUBMITTED


def test_messages_wait_for_a_gateway_that_cannot_be_opened(send: Send, sandbox: Gateway) -> None:
    message = send()
    Gateway.objects.update(provider="gone")
    delivery.drain(sandbox.pk)
    assert health.paused_until(sandbox.pk)
    waits = waiting.why(fresh(message))
    assert waits
    assert (fresh(message).state, waits.reason) == (State.QUEUED, Wait.GATEWAY)
    assert not Attempt.objects.exists()


def test_a_bell_for_a_gateway_already_being_drained_is_remembered(sandbox: Gateway) -> None:
    drains = Busy()
    assert drains.begin(sandbox.pk)
    assert not drains.begin(sandbox.pk)
    assert not drains.finished(sandbox.pk)
    assert drains.heard(sandbox.pk)
    assert drains.finished(sandbox.pk)
    assert drains.begin(sandbox.pk)
