"""What each outcome class does to a message, its attempt and its gateway, and that intent is on record first."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from gateways import health
from gateways import sandbox as phone
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, GatewayHealth, SandboxSms
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    CredentialsRefused,
    GatewayFault,
    NotAccepted,
    NotSent,
    OutboundSms,
    Outcome,
    Refused,
    RefusedForNow,
    RefusedHere,
)
from gateways.providers.sandbox import Provider
from messaging import claiming, delivery, receipts, recovery, sending
from messaging.models import Attempt, Message, State, Wait
from tests.messaging.conftest import Send, fresh, make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

Answers = Callable[[Exception | Accepted], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Makes the provider understand every answer in this way."""

    def understand(outcome: Exception | Accepted) -> None:
        def read_submit(_provider: Provider, _response: HttpResponse) -> Accepted:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(Provider, "read_submit", read_submit)

    return understand


def test_a_refusal_for_now_waits_at_least_as_long_as_it_was_asked_to(
    send: Send, sandbox: Gateway, answers: Answers
) -> None:
    answers(RefusedForNow("too fast", retry_after=600))
    message = send()
    before = timezone.now()
    delivery.drain(sandbox.pk)
    waiting = fresh(message)
    assert (waiting.state, waiting.waits_for, waiting.reason) == (State.QUEUED, Wait.RETRY, "too fast")
    assert waiting.due_at
    assert waiting.due_at >= before + timedelta(seconds=600)


@pytest.mark.parametrize("nonsense", [float("inf"), float("nan"), -5, 1e30])
def test_a_nonsensical_wait_is_an_hour(nonsense: float) -> None:
    assert RefusedForNow("too fast", retry_after=nonsense).retry_after == 3600


def test_a_fault_of_the_account_pauses_the_gateway_and_burns_no_try(
    send: Send, sandbox: Gateway, answers: Answers
) -> None:
    answers(GatewayFault("no funds"))
    first, second = send(), send()
    GatewayHealth.objects.update(pace_tokens=1)
    delivery.drain(sandbox.pk)
    held = fresh(first)
    assert (held.state, held.waits_for, held.failures) == (State.HELD, Wait.GATEWAY, 0)
    assert fresh(second).failures == 0
    assert health.paused_until(sandbox.pk)
    assert claiming.gateways_with_due() == []
    assert GatewayHealth.objects.get().last_error == "no funds"


def test_after_a_pause_one_message_tries_it_and_success_opens_the_gateway(
    send: Send, sandbox: Gateway, answers: Answers
) -> None:
    health.record_fault(sandbox.pk, GatewayFault("no funds"))
    messages = [send() for _ in range(3)]
    assert claiming.claim(sandbox)[0] == []
    GatewayHealth.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    claimed, _ = claiming.claim(sandbox)
    assert len(claimed) == 1
    assert claiming.claim(sandbox)[0] == []
    claimed[0].release()
    delivery.drain(sandbox.pk)
    assert {fresh(message).state for message in messages} == {State.SUBMITTED}
    assert GatewayHealth.objects.get().faults == 0


@pytest.mark.parametrize("surprise", [ValueError("secret-canary"), KeyError("secret-canary"), RecursionError()])
def test_an_answer_nobody_can_read_is_unclear_and_never_failed(
    send: Send, sandbox: Gateway, answers: Answers, surprise: Exception
) -> None:
    answers(surprise)
    message = send()
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.UNKNOWN
    attempts = Attempt.objects.filter(message=message)
    assert {attempt.outcome for attempt in attempts} == {Outcome.AMBIGUOUS}
    assert "canary" not in str(list(attempts.values())) + fresh(message).reason


def test_nothing_is_called_failed_after_an_unclear_attempt(send: Send, sandbox: Gateway, answers: Answers) -> None:
    answers(Ambiguous("no answer"))
    message = send()
    delivery.drain(sandbox.pk)
    answers(Refused("no such number"))
    make_due()
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.UNRESOLVED


def test_handed_over_always_has_a_stored_acceptance(send: Send, sandbox: Gateway, answers: Answers) -> None:
    answers(Accepted("ref-1", "queued"))
    message = send()
    delivery.drain(sandbox.pk)
    attempt = Attempt.objects.get(message=message)
    assert fresh(message).state == State.SUBMITTED
    assert (attempt.outcome, attempt.reference, attempt.detail) == (Outcome.ACCEPTED, "ref-1", "queued")
    assert attempt.exchange["status"] == 200


def test_the_attempt_is_committed_before_a_byte_leaves(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox answers on a database connection of its own, which sees what is committed and nothing else."""
    seen: list[int] = []
    answer_all = phone.answer_all

    def look_first(requests: Sequence[HttpRequest]) -> list[phone.Reply]:
        seen.append(Attempt.objects.filter(outcome="").count())
        return answer_all(requests)

    monkeypatch.setattr(phone, "answer_all", look_first)
    for _ in range(3):
        send()
    delivery.drain(sandbox.pk)
    assert seen == [3]
    assert SandboxSms.objects.count() == 3


def test_a_look_up_that_fails_asks_again_later(
    send: Send, sandbox: Gateway, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.settings = {"understands_keys": False}
    sandbox.save()
    answers(Ambiguous("no answer"))
    message = send()
    delivery.drain(sandbox.pk)
    monkeypatch.setattr(phone, "answer_all", _fails)
    make_due()
    recovery.look_up(sandbox.pk)
    again = fresh(message)
    assert (again.state, again.asked) == (State.UNKNOWN, 1)
    assert again.ask_at
    assert again.ask_at > timezone.now()


def _fails(_requests: Sequence[HttpRequest]) -> list[phone.Reply]:
    raise OSError


@pytest.mark.parametrize(
    "outcome", [NotSent, Refused, RefusedHere, RefusedForNow, GatewayFault, CredentialsRefused, Ambiguous]
)
def test_every_outcome_is_written_on_the_attempt(
    send: Send, sandbox: Gateway, answers: Answers, outcome: type[NotAccepted]
) -> None:
    answers(outcome("the reason"))
    message = send()
    delivery.drain(sandbox.pk)
    attempt = Attempt.objects.filter(message=message).first()
    assert attempt
    assert (attempt.outcome, attempt.detail) == (outcome.outcome, "the reason")
    assert attempt.finished_at
    assert Message.objects.get().reason == "the reason"


@pytest.mark.parametrize("outcome", [Accepted("r\x00" * 500, "d\x00" * 500), Refused("x\x00" * 500)])
def test_what_a_provider_writes_always_fits_its_column(
    send: Send, sandbox: Gateway, answers: Answers, outcome: Exception | Accepted
) -> None:
    answers(outcome)
    message = send()
    delivery.drain(sandbox.pk)
    attempt = Attempt.objects.get(message=message)
    assert attempt.outcome
    assert "\x00" not in attempt.reference + attempt.detail


ONCE = [
    (Accepted("ref-1"), State.SUBMITTED),
    (Ambiguous("no answer"), State.UNKNOWN),
    (NotSent("nobody listens"), State.QUEUED),
    (RefusedForNow("too fast"), State.QUEUED),
    (GatewayFault("no funds"), State.HELD),
    (Refused("no such phone"), State.FAILED),
]


@pytest.mark.parametrize("trouble", [OperationalError("deadlock detected"), ValueError("it does not fit")])
@pytest.mark.parametrize(("outcome", "state"), ONCE, ids=lambda value: type(value).__name__)
def test_an_answer_that_is_written_down_a_second_time_counts_once(
    send: Send,
    sandbox: Gateway,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Exception | Accepted,
    state: State,
    trouble: Exception,
) -> None:
    """What was rolled back has left no trace: neither a try, nor a raised epoch, nor another gateway."""
    answers(outcome)
    message, troubles = send(), [trouble]
    match = receipts.match_early_ones

    def stumble(gateway: Gateway, references: Sequence[str]) -> None:
        if troubles:
            raise troubles.pop()
        match(gateway, references)

    monkeypatch.setattr(receipts, "match_early_ones", stumble)
    monkeypatch.setattr(delivery, "TRY_AGAIN", 0.01)
    try:
        delivery.drain(sandbox.pk)
    except OperationalError:
        # The drain ends once everything is brought home, and says why.
        assert isinstance(trouble, OperationalError)
    attempt = Attempt.objects.get(message=message)
    assert (fresh(message).state, bool(attempt.outcome)) == (state, True)
    assert fresh(message).failures == int(isinstance(outcome, NotSent | RefusedForNow))
    assert fresh(message).unclear == int(isinstance(outcome, Ambiguous))


@pytest.fixture
def formers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """By which earlier message the provider is asked to repeat, submit after submit; it can do that."""
    given: list[str] = []
    submit = Provider.submit

    def note(provider: Provider, sms: OutboundSms) -> HttpRequest:
        given.append(sms.former)
        return submit(provider, sms)

    monkeypatch.setattr(Provider, "takes_former", True)
    monkeypatch.setattr(Provider, "submit", note)
    return given


def sent_again(send: Send, state: State = State.UNDELIVERED) -> Message:
    """A message that repeats one which the provider called ref-9."""
    former = send()
    Message.objects.filter(pk=former.pk).update(state=state, reference="ref-9", due_at=None)
    return sending.resend(fresh(former), requested_by=None)


@pytest.mark.parametrize("state", [State.UNDELIVERED, State.EXPIRED])
def test_a_provider_that_can_repeats_by_reference_what_did_not_arrive(
    send: Send, sandbox: Gateway, formers: list[str], state: State
) -> None:
    again = sent_again(send, state)
    delivery.drain(sandbox.pk)
    assert formers == ["ref-9"]
    assert fresh(again).state == State.SUBMITTED


@pytest.mark.parametrize("state", [State.FAILED, State.UNRESOLVED])
def test_what_it_never_took_or_may_have_taken_is_not_repeated_by_reference(
    send: Send, sandbox: Gateway, formers: list[str], state: State
) -> None:
    sent_again(send, state)
    delivery.drain(sandbox.pk)
    assert formers == [""]


def test_a_provider_that_cannot_is_given_the_message_itself(
    send: Send, sandbox: Gateway, formers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Provider, "takes_former", False)
    sent_again(send)
    delivery.drain(sandbox.pk)
    assert formers == [""]


@pytest.mark.parametrize(
    "outcome",
    [NotSent("nobody listens"), RefusedForNow("too fast"), Refused("no such message"), Ambiguous("no answer")],
)
def test_only_the_first_try_repeats_by_reference(
    send: Send, sandbox: Gateway, formers: list[str], monkeypatch: pytest.MonkeyPatch, outcome: NotAccepted
) -> None:
    outcomes: list[NotAccepted] = [outcome]

    def read_submit(_provider: Provider, _response: HttpResponse) -> Accepted:
        if outcomes:
            raise outcomes.pop()
        return Accepted("ref-10")

    monkeypatch.setattr(Provider, "read_submit", read_submit)
    again = sent_again(send)
    delivery.drain(sandbox.pk)
    make_due()
    delivery.drain(sandbox.pk)
    assert formers == ["ref-9", ""]
    assert (fresh(again).state, fresh(again).reference) == (State.SUBMITTED, "ref-10")


def test_another_gateway_knows_nothing_of_the_reference(send: Send, sandbox: Gateway, formers: list[str]) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    again = sent_again(send)
    Message.objects.filter(pk=again.pk).update(gateway=other)
    delivery.drain(other.pk)
    assert formers == [""]
    assert fresh(again).state == State.SUBMITTED
