"""P9: receipts in any order, repeated, late, before our own commit or for strangers lead to one final state.

Providers here report of whole messages and not of their parts, so there is no worst part to wait for. That a receipt
of somebody who is not the provider changes nothing is P13's, in `test_p13_doors.py`.
"""

from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateways.http import Callback, HttpRequest, HttpResponse
from gateways.models import Gateway
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    InboundSms,
    NotAccepted,
    NotSent,
    OutboundSms,
    Outcome,
    Receipt,
    ReceiptState,
    SentSms,
)
from gateways.providers.sandbox import Provider
from messaging import claiming, delivery, receipts, recovery, retries
from messaging.models import Attempt, DeliveryEvent, Message, State
from messaging.retries import Kind
from tests.messaging.conftest import Send, begin, fresh, let_time_pass, make_due

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


#: From the least to the most that anybody may say; what is said decides, never when.
WORTH = [
    (None, State.SUBMITTED),
    (ReceiptState.PENDING, State.SUBMITTED),
    (ReceiptState.UNCONFIRMED, State.NO_RECEIPT),
    (ReceiptState.EXPIRED, State.EXPIRED),
    (ReceiptState.UNDELIVERED, State.UNDELIVERED),
    (ReceiptState.DELIVERED, State.DELIVERED),
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.lists(st.sampled_from(ReceiptState), max_size=3), max_size=6), early=st.integers(0, 6))
@example(said=[[ReceiptState.EXPIRED], [ReceiptState.UNDELIVERED]], early=0)
@example(said=[[ReceiptState.UNDELIVERED], [ReceiptState.EXPIRED]], early=1)
def test_what_is_said_decides_and_not_when(
    submitted: Message, sandbox: Gateway, said: list[list[ReceiptState]], early: int
) -> None:
    """Calls with several receipts each, of which the first `early` are faster than our own commit."""
    begin_anew(submitted)
    for number, call in enumerate([*said, []]):
        if number == min(early, len(said)):
            Attempt.objects.update(reference="ref-1", reference_key="ref-1")
            receipts.match_early_ones(sandbox, ["ref-1"])
        receipts.record(sandbox, [Receipt("ref-1", state) for state in call])
    worth = max((state for call in said for state in call), default=None, key=[state for state, _ in WORTH].index)
    assert fresh(submitted).state == dict(WORTH)[worth]
    # Each is on record as it came, and belongs to its message.
    kept = sum(state != ReceiptState.PENDING for call in said for state in call)
    assert DeliveryEvent.objects.filter(message=submitted).count() == DeliveryEvent.objects.count() == kept


def begin_anew(submitted: Message) -> None:
    """Handed over a moment ago, and what the provider calls it is not committed yet."""
    DeliveryEvent.objects.all().delete()
    Message.objects.filter(pk=submitted.pk).update(state=State.SUBMITTED, finished_at=None, text=submitted.text)
    Attempt.objects.update(reference="", reference_key="")


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


Say = Callable[[Receipt], None]

#: How one id comes back: in another case, with more or fewer zeros before it, between blanks.
SPELLINGS = ["00AbC9", "abc9", "ABC9", "0000abc9", " 00abc9\n", "0AbC9 "]


@pytest.fixture(params=["brought", "asked for"])
def say(request: pytest.FixtureRequest, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The provider reports this: it calls us, or answers when it is asked."""
    said: list[Receipt] = []

    def read_callback(_provider: Provider, _callback: Callback) -> list[Receipt | InboundSms]:
        return [*said]

    def read_query(_provider: Provider, _response: HttpResponse) -> list[Receipt]:
        return said

    monkeypatch.setattr(Provider, "read_callback", read_callback)
    monkeypatch.setattr(Provider, "read_query", read_query)

    def call(receipt: Receipt) -> None:
        said[:] = [receipt]
        assert Client().post(f"/callbacks/{sandbox.pk}/{sandbox.callback_key}/").status_code == 200

    def be_asked(receipt: Receipt) -> None:
        said[:] = [receipt]
        make_due()
        receipts.ask(sandbox.pk)

    return call if request.param == "brought" else be_asked


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Accepted | NotAccepted]:
    """What the provider answers, submit after submit."""
    told: list[Accepted | NotAccepted] = []

    def read_submit(_provider: Provider, _response: HttpResponse) -> Accepted:
        outcome = told.pop(0)
        if isinstance(outcome, NotAccepted):
            raise outcome
        return outcome

    monkeypatch.setattr(Provider, "read_submit", read_submit)
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
class TestOneIdHoweverItIsSpelled:
    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_a_receipt_finds_its_message(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted], say: Say, spelling: str
    ) -> None:
        outcomes.append(Accepted("00AbC9"))
        message = send()
        delivery.drain(sandbox.pk)
        say(Receipt(spelling, ReceiptState.DELIVERED))
        assert fresh(message).state == State.DELIVERED
        # Shown as the provider wrote it.
        assert (fresh(message).reference, DeliveryEvent.objects.get().reference) == ("00AbC9", spelling)

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_one_that_came_before_our_own_commit_does_as_well(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted], spelling: str
    ) -> None:
        receipts.record(sandbox, [Receipt(spelling, ReceiptState.DELIVERED)])
        outcomes.append(Accepted("00AbC9"))
        message = send()
        delivery.drain(sandbox.pk)
        assert fresh(message).state == State.DELIVERED
        assert DeliveryEvent.objects.get().message == message

    @pytest.mark.parametrize("other", ["abc90", "bc9", "a bc9", "0", "000", "", " "])
    def test_another_id_is_another_message(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted], other: str
    ) -> None:
        outcomes.append(Accepted("00AbC9"))
        message = send()
        delivery.drain(sandbox.pk)
        receipts.record(sandbox, [Receipt(other, ReceiptState.UNDELIVERED)])
        assert fresh(message).state == State.SUBMITTED

    def test_a_provider_that_gives_no_id_is_not_told_apart_by_its_absence(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted]
    ) -> None:
        outcomes.extend([Accepted(), Accepted("0")])
        messages = [send(), send()]
        delivery.drain(sandbox.pk)
        receipts.record(sandbox, [Receipt("", ReceiptState.UNDELIVERED), Receipt("00", ReceiptState.UNDELIVERED)])
        assert {fresh(message).state for message in messages} == {State.SUBMITTED}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
class TestSentAndNoReceiptWillCome:
    UNCONFIRMED = Receipt("ref-1", ReceiptState.UNCONFIRMED)

    def test_it_is_the_end_and_the_text_is_wiped(self, submitted: Message, say: Say) -> None:
        say(self.UNCONFIRMED)
        ended = fresh(submitted)
        assert (ended.state, ended.text, ended.ask_at) == (State.NO_RECEIPT, None, None)
        assert ended.finished_at

    def test_one_that_comes_all_the_same_improves_it(self, submitted: Message, sandbox: Gateway) -> None:
        receipts.record(sandbox, [self.UNCONFIRMED])
        receipts.record(sandbox, [DELIVERED])
        assert fresh(submitted).state == State.DELIVERED

    @pytest.mark.parametrize("better", [DELIVERED, UNDELIVERED, EXPIRED])
    def test_it_takes_nothing_back(self, submitted: Message, sandbox: Gateway, better: Receipt) -> None:
        receipts.record(sandbox, [better, self.UNCONFIRMED])
        assert fresh(submitted).state == better.state

    @pytest.mark.parametrize("state", [State.UNKNOWN, State.UNRESOLVED])
    def test_it_clears_up_what_was_unclear(self, submitted: Message, sandbox: Gateway, state: State) -> None:
        Message.objects.update(state=state, unclear=1, due_at=timezone.now())
        receipts.record(sandbox, [self.UNCONFIRMED])
        assert (fresh(submitted).state, fresh(submitted).due_at) == (State.NO_RECEIPT, None)


@pytest.fixture
def by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like Kannel: the provider gives a message no id and reports by our key; it knows no repeats."""
    monkeypatch.setattr(Provider, "reports_by_key", True)
    Gateway.objects.update(settings={"understands_keys": False, "answers_look_ups": False})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network", "by_key")
class TestReportsByKey:
    def test_our_key_is_the_reference(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted], say: Say
    ) -> None:
        outcomes.append(Accepted())
        message = send()
        delivery.drain(sandbox.pk)
        assert fresh(message).reference == message.key
        say(Receipt(message.key.upper(), ReceiptState.DELIVERED))
        assert fresh(message).state == State.DELIVERED

    @pytest.mark.parametrize(
        ("said", "state"),
        [
            (ReceiptState.DELIVERED, State.DELIVERED),
            (ReceiptState.UNDELIVERED, State.UNDELIVERED),
            (ReceiptState.EXPIRED, State.EXPIRED),
            (ReceiptState.UNCONFIRMED, State.NO_RECEIPT),
        ],
    )
    @pytest.mark.parametrize("kind", [Kind.INFORMATION, Kind.CREDENTIALS])
    def test_a_receipt_tells_what_the_lost_answer_did_not(
        self,
        send: Send,
        sandbox: Gateway,
        outcomes: list[Accepted | NotAccepted],
        kind: Kind,
        said: ReceiptState,
        state: State,
    ) -> None:
        outcomes.append(Ambiguous("no answer"))
        message = send(kind=kind)
        delivery.drain(sandbox.pk)
        assert fresh(message).state in {State.UNKNOWN, State.UNRESOLVED}
        receipts.record(sandbox, [Receipt(message.key, said)])
        assert fresh(message).state == state
        make_due()
        delivery.drain(sandbox.pk)
        # Credentials would have been risked a second time.
        assert message.attempts.count() == 1

    def test_one_that_came_before_the_answer_was_given_up_does_as_well(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted]
    ) -> None:
        message = send(kind=Kind.CREDENTIALS)
        receipts.record(sandbox, [Receipt(message.key, ReceiptState.DELIVERED)])
        outcomes.append(Ambiguous("no answer"))
        delivery.drain(sandbox.pk)
        assert fresh(message).state == State.DELIVERED

    def test_a_message_whose_worker_died_is_found_too(self, send: Send, sandbox: Gateway) -> None:
        message = send()
        claimed, _ = claiming.claim(sandbox)
        begin(sandbox, claimed)
        receipts.record(sandbox, [Receipt(message.key, ReceiptState.DELIVERED)])
        assert fresh(message).state == State.SUBMITTING
        Message.objects.update(lease_until=timezone.now())
        recovery.recover()
        assert fresh(message).state == State.DELIVERED

    def test_a_receipt_that_comes_while_it_is_repeated_is_heeded_once_the_repeat_is_over(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outcomes.append(Ambiguous("no answer"))
        message = send(kind=Kind.CREDENTIALS)
        delivery.drain(sandbox.pk)
        submit = Provider.submit

        def report_first(provider: Provider, sms: OutboundSms) -> HttpRequest:
            receipts.record(sandbox, [Receipt(message.key, ReceiptState.DELIVERED)])
            return submit(provider, sms)

        monkeypatch.setattr(Provider, "submit", report_first)
        outcomes.append(NotSent("nobody listens"))
        make_due()
        delivery.drain(sandbox.pk)
        assert list(message.attempts.values_list("outcome", flat=True)) == [Outcome.AMBIGUOUS, Outcome.NOT_SENT]
        assert fresh(message).state == State.DELIVERED

    def test_what_was_refused_for_certain_is_not_found_by_its_key(
        self, send: Send, sandbox: Gateway, outcomes: list[Accepted | NotAccepted]
    ) -> None:
        outcomes.append(NotSent("nobody listens"))
        message = send()
        delivery.drain(sandbox.pk)
        receipts.record(sandbox, [Receipt(message.key, ReceiptState.UNDELIVERED)])
        assert fresh(message).state == State.QUEUED
        assert DeliveryEvent.objects.get().message is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
class TestAGatewayThatTheMessageHasLeft:
    """It was unclear there and then proven absent, so that another gateway took it; now the first one reports."""

    @pytest.fixture
    def moved(self, submitted: Message, sandbox: Gateway) -> Message:
        other = Gateway.objects.create(name="other", provider="sandbox")
        Attempt.objects.update(outcome=Outcome.AMBIGUOUS)
        Attempt.objects.create(
            message=submitted,
            gateway=other,
            epoch=2,
            key=submitted.key,
            outcome=Outcome.ACCEPTED,
            reference="77",
            reference_key="77",
        )
        Message.objects.update(gateway=other, reference="77", epoch=2)
        return fresh(submitted)

    @pytest.mark.parametrize("said", [ReceiptState.UNDELIVERED, ReceiptState.EXPIRED, ReceiptState.UNCONFIRMED])
    def test_that_it_did_not_arrive_there_says_nothing(
        self, moved: Message, sandbox: Gateway, said: ReceiptState
    ) -> None:
        receipts.record(sandbox, [Receipt("ref-1", said)])
        assert fresh(moved).state == State.SUBMITTED
        assert DeliveryEvent.objects.get().message == moved

    def test_that_it_arrived_after_all_is_believed(self, moved: Message, sandbox: Gateway) -> None:
        receipts.record(sandbox, [DELIVERED])
        assert fresh(moved).state == State.DELIVERED

    @pytest.mark.parametrize(
        ("said", "state"), [(ReceiptState.UNDELIVERED, State.SUBMITTED), (ReceiptState.DELIVERED, State.DELIVERED)]
    )
    def test_the_same_holds_for_one_that_was_early(
        self, moved: Message, sandbox: Gateway, said: ReceiptState, state: State
    ) -> None:
        DeliveryEvent.objects.create(gateway=sandbox, reference="ref-1", reference_key="ref-1", state=said)
        receipts.match_orphans(timezone.now())
        assert fresh(moved).state == state
        assert DeliveryEvent.objects.get().message == moved

    def test_the_one_that_took_it_is_believed_in_all(self, moved: Message) -> None:
        receipts.record(moved.gateway, [Receipt("077", ReceiptState.UNDELIVERED)])
        assert fresh(moved).state == State.UNDELIVERED

    def test_the_one_that_took_it_is_asked_and_by_its_own_reference(
        self, moved: Message, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        query = Provider.query

        def note(provider: Provider, sent: Sequence[SentSms]) -> HttpRequest:
            asked.extend(one.reference for one in sent)
            return query(provider, sent)

        monkeypatch.setattr(Provider, "query", note)
        monkeypatch.setattr(Provider, "read_query", lambda _provider, _response: [Receipt("77", DELIVERED.state)])
        assert receipts.gateways_to_ask() == [moved.gateway_id]
        receipts.ask(moved.gateway_id)
        assert asked == ["77"]
        assert fresh(moved).state == State.DELIVERED

    def test_the_same_reference_of_the_former_one_is_another_message(self, moved: Message, sandbox: Gateway) -> None:
        receipts.record(sandbox, [Receipt("77", ReceiptState.UNDELIVERED)])
        assert fresh(moved).state == State.SUBMITTED
        assert DeliveryEvent.objects.get().message is None
