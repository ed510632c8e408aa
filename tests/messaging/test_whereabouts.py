"""Where a guest's SMS is, in the words that the guest reads; and taking it back for good."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from gateways import accounts, health
from gateways.models import Gateway
from gateways.outcomes import (
    Ambiguous,
    GatewayFault,
    NotSent,
    Outcome,
    ReceiptState,
    Refused,
    RefusedForNow,
)
from messaging import claiming, codes, delivery, failover, whereabouts
from messaging.models import Attempt, Door, Message, MessageTemplate, State
from messaging.retries import Kind
from messaging.whereabouts import Where
from portal.errors import Refusal
from tests.messaging.conftest import begin, fresh, make_due
from tests.messaging.test_failover import Answer, Answers, answers, gateways

__all__ = ["answers", "gateways"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network", "text")]

PHONE = "+79161234567"
CANNOT = "SMS cannot be sent at the moment. Please try again in a few minutes."
NOBODY_LISTENS = partial(NotSent, "nobody listens")
#: What a gateway may do to a message without ever taking it; afterwards it may go elsewhere.
TURNED_AWAY: list[Answer] = [NOBODY_LISTENS, partial(RefusedForNow, "too fast"), partial(GatewayFault, "no funds")]


@pytest.fixture
def text(transactional_db: None) -> None:
    MessageTemplate.objects.update_or_create(kind=Kind.CODE, language="en", defaults={"text": "$portal: $code"})


def send() -> Message:
    return codes.send(phone=PHONE, code="483920", language="en", door=Door.GUESTS).message


def where(message: Message) -> Where:
    return whereabouts.of(fresh(message)).kind


def told(message: Message) -> str:
    return whereabouts.of(fresh(message)).sentence


def drain(gateways: list[Gateway]) -> None:
    """The workers hand over what is due at this moment."""
    for gateway in gateways:
        delivery.drain(gateway.pk)


class TestBeforeItIsHandedOver:
    """It may still be, or there is no way left."""

    def test_it_waits_for_its_turn(self, gateways: list[Gateway]) -> None:
        message = send()
        assert whereabouts.of(message) == whereabouts.Whereabouts(Where.UNDER_WAY, None, "The SMS is being sent.")

    def test_a_worker_has_it(self, gateways: list[Gateway]) -> None:
        message = send()
        claimed, _next = claiming.claim(gateways[0])
        assert (fresh(message).state, where(message)) == (State.CLAIMED, Where.UNDER_WAY)
        begin(gateways[0], claimed)
        assert (fresh(message).state, where(message)) == (State.SUBMITTING, Where.UNDER_WAY)

    @pytest.mark.parametrize("answer", TURNED_AWAY)
    def test_another_gateway_is_to_be_tried(self, gateways: list[Gateway], answers: Answers, answer: Answer) -> None:
        answers["a"] = answer
        message = send()
        drain(gateways[:1])
        assert fresh(message).gateway == gateways[1]
        assert where(message) == Where.UNDER_WAY

    @pytest.mark.parametrize("answer", TURNED_AWAY)
    def test_none_is_left_once_each_was_tried(self, gateways: list[Gateway], answers: Answers, answer: Answer) -> None:
        for name in "abc":
            answers[name] = answer
        message = send()
        drain(gateways)
        assert fresh(message).state in {State.QUEUED, State.HELD}
        assert Attempt.objects.filter(message=message).count() == 3
        assert whereabouts.of(fresh(message)) == whereabouts.Whereabouts(Where.NO_WAY, None, CANNOT)

    def test_what_is_tried_again_later_has_no_way_until_it_went(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for name in "abc":
            answers[name] = NOBODY_LISTENS
        message = send()
        for _ in range(3):
            drain(gateways)
            make_due()
            assert where(message) == Where.NO_WAY
        answers.clear()
        drain(gateways)
        assert where(message) == Where.SENT

    def test_a_gateway_that_may_be_used_again_is_a_way(self, gateways: list[Gateway], answers: Answers) -> None:
        health.record_fault(gateways[2].pk, GatewayFault("no funds"))
        answers["a"] = answers["b"] = NOBODY_LISTENS
        message = send()
        drain(gateways)
        assert where(message) == Where.NO_WAY
        health.begin_anew(gateways[2].pk)
        assert where(message) == Where.UNDER_WAY

    def test_one_that_cannot_leave_its_gateway_has_a_way_at_another(self, gateways: list[Gateway]) -> None:
        message = send()
        Gateway.objects.filter(pk=gateways[0].pk).update(enabled=False)
        assert where(message) == Where.UNDER_WAY

    def test_one_has_no_way_where_every_gateway_stopped_after_it_was_accepted(self, gateways: list[Gateway]) -> None:
        message = send()
        for gateway in gateways:
            health.record_fault(gateway.pk, GatewayFault("no funds"))
        assert where(message) == Where.NO_WAY

    def test_a_gateway_whose_prefixes_leave_the_phone_out_is_no_way(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for gateway in gateways[1:]:
            accounts.change(gateway, prefixes=["+375"])
        answers["a"] = NOBODY_LISTENS
        message = send()
        drain(gateways)
        assert where(message) == Where.NO_WAY

    def test_nothing_goes_round_a_strict_gateway(self, gateways: list[Gateway], answers: Answers) -> None:
        accounts.change(gateways[0], strict=True)
        answers["a"] = NOBODY_LISTENS
        message = send()
        drain(gateways)
        assert where(message) == Where.NO_WAY


class TestAfterwards:
    """What is known of it."""

    def test_it_was_sent(self, gateways: list[Gateway]) -> None:
        message = send()
        drain(gateways)
        at = datetime(2026, 7, 1, 11, 2, tzinfo=UTC)
        Message.objects.update(submitted_at=at)
        with timezone.override("Europe/Moscow"):
            found = whereabouts.of(fresh(message))
        assert (found.kind, found.at) == (Where.SENT, at)
        assert found.sentence == "The SMS was sent at 14:02; the operator has not confirmed yet that it arrived."

    def test_at_first_nobody_wonders_that_nothing_is_confirmed(self, gateways: list[Gateway]) -> None:
        message = send()
        drain(gateways)
        assert "operator" not in told(message)
        Message.objects.update(submitted_at=timezone.now() - 2 * whereabouts.SOON)
        assert "operator has not confirmed" in told(message)

    def test_no_receipt_will_come(self, gateways: list[Gateway]) -> None:
        message = send()
        drain(gateways)
        Message.end_silence(timezone.now() + timedelta(seconds=1))
        found = whereabouts.of(fresh(message))
        assert (found.kind, found.at) == (Where.SENT, fresh(message).submitted_at)
        assert "operator" not in found.sentence

    def test_it_arrived(self, gateways: list[Gateway]) -> None:
        message = send()
        drain(gateways)
        fresh(message).record_receipt(ReceiptState.DELIVERED)
        found = whereabouts.of(fresh(message))
        assert (found.kind, found.at) == (Where.ARRIVED, fresh(message).finished_at)
        assert found.sentence.startswith("The SMS arrived at ")

    @pytest.mark.parametrize("state", [ReceiptState.UNDELIVERED, ReceiptState.EXPIRED])
    def test_it_was_not_delivered(self, gateways: list[Gateway], state: ReceiptState) -> None:
        message = send()
        drain(gateways)
        fresh(message).record_receipt(state, "absent subscriber")
        found = whereabouts.of(fresh(message))
        assert (found.kind, found.at) == (Where.FAILED, fresh(message).finished_at)
        assert "could not be delivered" in found.sentence
        assert "subscriber" not in found.sentence

    def test_its_number_was_refused(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Refused, "EC_INVALID_DESTINATION 17")
        message = send()
        drain(gateways)
        assert where(message) == Where.FAILED
        assert told(message) == "The SMS could not be sent to this number. Check the number."

    def test_it_was_tried_too_often(self, gateways: list[Gateway], answers: Answers) -> None:
        for name in "abc":
            answers[name] = NOBODY_LISTENS
        message = send()
        Message.objects.update(failures=59)
        drain(gateways)
        assert (fresh(message).state, where(message)) == (State.FAILED, Where.FAILED)
        assert told(message) == "The SMS could not be sent. Please try again."

    def test_nobody_knows(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        assert fresh(message).state == State.UNKNOWN
        found = whereabouts.of(fresh(message))
        assert (found.kind, found.at) == (Where.UNCONFIRMED, None)
        assert "ask for another one" in found.sentence
        make_due()
        claiming.claim(gateways[0])
        assert (fresh(message).state, where(message)) == (State.CLAIMED, Where.UNCONFIRMED)

    @pytest.mark.parametrize("state", State)
    def test_every_state_has_words(self, gateways: list[Gateway], state: State) -> None:
        message = send()
        Message.objects.update(state=state, finished_at=timezone.now(), submitted_at=timezone.now())
        assert told(message).endswith(".")
        assert "%" not in told(message)


class TestGivingUp:
    """Only where it is certain that nothing was sent; and then nothing ever is."""

    def test_one_without_a_way_is_never_sent(self, gateways: list[Gateway], answers: Answers) -> None:
        for name in "abc":
            answers[name] = NOBODY_LISTENS
        message = send()
        drain(gateways)
        assert whereabouts.give_up(message)
        assert (fresh(message).state, fresh(message).text) == (State.CANCELLED, None)
        assert (where(message), told(message)) == (Where.FAILED, "The SMS could not be sent. Please try again.")
        answers.clear()
        make_due()
        failover.move_away()
        drain(gateways)
        assert not Attempt.objects.filter(message=message, outcome=Outcome.ACCEPTED).exists()

    def test_twice_is_as_good_as_once(self, gateways: list[Gateway]) -> None:
        message = send()
        assert [whereabouts.give_up(message) for _ in range(2)] == [True, True]

    def test_one_that_failed_is_given_up_already(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Refused, "no such phone")
        message = send()
        drain(gateways)
        assert whereabouts.give_up(message)
        assert fresh(message).state == State.FAILED

    def test_what_a_worker_has_goes_its_way(self, gateways: list[Gateway]) -> None:
        message = send()
        claiming.claim(gateways[0])
        assert not whereabouts.give_up(message)
        assert fresh(message).state == State.CLAIMED

    @pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED, State.HELD, *whereabouts.NEVER_SENT}))
    def test_what_was_or_may_have_been_handed_over_stays(self, gateways: list[Gateway], state: State) -> None:
        message = send()
        Message.objects.update(state=state)
        assert not whereabouts.give_up(message)
        assert fresh(message).state == state

    def test_an_unclear_one_stays(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        assert not whereabouts.give_up(message)
        assert fresh(message).state == State.UNKNOWN


def test_few_queries_tell_it(gateways: list[Gateway], django_assert_max_num_queries: object) -> None:
    message = fresh(send())
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        whereabouts.of(message)


def test_a_refused_code_says_the_same(gateways: list[Gateway]) -> None:
    for gateway in gateways:
        health.record_fault(gateway.pk, GatewayFault("no funds"))
    with pytest.raises(Refusal) as refused:
        send()
    assert refused.value.sentence == CANNOT
