"""What goes through another gateway, what never does, and that nothing runs in circles or is sent twice."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.db.models import F
from django.utils import timezone

from gateways import accounts, health, routing
from gateways.changes import Change
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
from messaging import claiming, delivery, failover, receipts, recovery, retries, sending, tasks, waiting
from messaging.models import WAITING, Attempt, DeliveryEvent, Message, State, Wait
from messaging.retries import Kind
from tests.messaging.conftest import begin, fresh, let_time_pass, make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network", "noon")]

PHONE = "+79161234567"
FAR, NEAR = timedelta(minutes=5), timedelta(seconds=1)

Answer = Callable[[], NotAccepted]
Answers = dict[str, Answer]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What gateways answer, by name, and the rest accept; in these tests the sandbox takes part in failover."""
    told: Answers = {}
    read_submit = Provider.read_submit

    def understand(provider: Provider, response: HttpResponse) -> Accepted:
        if answer := told.get(provider.gateway):
            outcome = answer()
            raise outcome
        return read_submit(provider, response)

    monkeypatch.setattr(Provider, "alone", False)
    monkeypatch.setattr(Provider, "read_submit", understand)
    return told


@pytest.fixture
def gateways(answers: Answers) -> list[Gateway]:
    """`a`, which is the default one, `b` and `c`, to be tried in this order; all are rested and may burst."""
    made = [accounts.create(name=name, provider="sandbox", priority=at) for at, name in enumerate("abc")]
    accounts.change(made[0], is_default=True)
    let_rest()
    return made


def let_rest() -> None:
    GatewayHealth.objects.update(pace_tokens=50, pace_at=timezone.now())


def send(gateway: str = "a", phone: str = PHONE, kind: Kind = Kind.INFORMATION, **details: Any) -> Message:
    return sending.send(phone=phone, text="Привет", kind=kind, gateway_name=gateway, requested_by=None, **details)


def drain(gateways: list[Gateway], turns: int = 1) -> None:
    """The workers hand over what is due, gateway after gateway, and the sweep looks in between."""
    for _ in range(turns):
        for gateway in gateways:
            delivery.drain(gateway.pk)
        failover.move_away()


def journey(message: Message) -> list[tuple[str, str]]:
    """Its attempts: at which gateway, and what came of it."""
    return list(message.attempts.values_list("gateway__name", "outcome"))


def place(message: Message) -> str:
    """The gateway that it is at."""
    return fresh(message).gateway.name


def pause(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))


def refuse_credentials(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, CredentialsRefused("wrong password"))


def spend_daily_limit(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(daily_limit=3)
    GatewayHealth.objects.filter(gateway=gateway).update(day=timezone.localdate(), day_count=3)


def switch_off(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(enabled=False)


def leave_the_phone_out(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(prefixes=["+375"])


OBSTACLES = [pause, refuse_credentials, spend_daily_limit, switch_off, leave_the_phone_out]
Obstacle = Callable[[Gateway], None]


class TestAfterAnAttempt:
    """Decided anew at each attempt, and by what became of it."""

    def test_what_was_not_sent_goes_through_another_one(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(NotSent, "nobody listens")
        message = send()
        drain(gateways)
        assert (place(message), fresh(message).failures) == ("b", 1)
        make_due()
        drain(gateways)
        assert journey(message) == [("a", Outcome.NOT_SENT), ("b", Outcome.ACCEPTED)]

    def test_what_one_will_never_take_waits_for_another_that_is_paused(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        answers["a"] = partial(RefusedHere, "the sender is not known")
        for gateway in gateways[1:]:
            pause(gateway)
        message = send()
        drain(gateways)
        assert (place(message), fresh(message).state) == ("b", State.QUEUED)

    def test_the_wanted_one_is_tried_again_before_the_next(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = answers["b"] = partial(NotSent, "nobody listens")
        message = send()
        for gateway in (gateways[0], gateways[1]):
            make_due()
            delivery.drain(gateway.pk)
        assert place(message) == "a"

    def test_a_refusal_for_now_is_not_waited_for_elsewhere(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(RefusedForNow, "too fast", retry_after=3600)
        message = send()
        drain(gateways[:1])
        due_at = fresh(message).due_at
        assert (place(message), fresh(message).waits_for) == ("b", Wait.RETRY)
        assert due_at
        # As long as any retry may take (the tests' jitter is the longest), and not an hour.
        assert due_at < timezone.now() + timedelta(seconds=retries.RULES[Kind.INFORMATION].cap + 1)

    def test_whoever_asked_to_wait_is_not_asked_again_from_the_other_side(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for name in "abc":
            answers[name] = partial(RefusedForNow, "too fast", retry_after=3600)
        message = send()
        before = timezone.now()
        for _ in range(2):
            make_due()
            drain(gateways[:2])
        # By now it has been at `a` and at `b`; going back to `a` is no way round its hour.
        waits = fresh(message)
        assert [name for name, _outcome in journey(message)] == ["a", "b"]
        assert waits.due_at
        assert waits.due_at >= before + timedelta(hours=1)

    def test_a_fault_of_the_account_moves_at_once_and_burns_no_try(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        answers["a"] = partial(GatewayFault, "no funds")
        message = send()
        drain(gateways)
        assert journey(message) == [("a", Outcome.GATEWAY_FAULT), ("b", Outcome.ACCEPTED)]
        assert fresh(message).failures == 0
        assert health.paused_until(gateways[0].pk)

    def test_refused_credentials_move_at_once_as_well(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(CredentialsRefused, "wrong password")
        message = send()
        drain(gateways)
        assert journey(message) == [("a", Outcome.GATEWAY_FAULT), ("b", Outcome.ACCEPTED)]

    def test_a_refusal_by_one_account_asks_each_other_once_and_fails_with_the_last_reason(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for name in "abc":
            answers[name] = partial(RefusedHere, f"{name} does not know the sender")
        message = send()
        drain(gateways, turns=5)
        assert journey(message) == [(name, Outcome.REFUSED) for name in "abc"]
        assert (fresh(message).state, fresh(message).reason) == (State.FAILED, "c does not know the sender")
        assert fresh(message).text

    def test_a_refusal_by_one_account_is_remembered_after_other_trouble(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        answers["a"] = partial(RefusedHere, "the sender is not known")
        answers["b"] = partial(NotSent, "nobody listens")
        answers["c"] = partial(NotSent, "nobody listens")
        message = send()
        for _ in range(4):
            make_due()
            drain(gateways)
        names = [name for name, _outcome in journey(message)]
        assert names[0] == "a"
        assert set(names[1:]) == {"b", "c"}

    def test_a_refusal_of_the_message_itself_asks_nobody_else(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Refused, "no such phone")
        message = send()
        drain(gateways, turns=3)
        assert journey(message) == [("a", Outcome.REFUSED)]
        assert fresh(message).state == State.FAILED

    @pytest.mark.parametrize(
        ("knows_keys", "kind"), [(True, Kind.INFORMATION), (False, Kind.INFORMATION), (False, Kind.CREDENTIALS)]
    )
    @pytest.mark.parametrize(
        "later",
        [
            partial(NotSent, "nobody listens"),
            partial(RefusedForNow, "too fast"),
            partial(GatewayFault, "no funds"),
            partial(CredentialsRefused, "wrong password"),
            partial(RefusedHere, "the sender is not known"),
            partial(Refused, "no such phone"),
            partial(Ambiguous, "no answer"),
        ],
        ids=lambda answer: answer.func.__name__,
    )
    def test_nothing_goes_elsewhere_after_an_unclear_attempt(
        self, gateways: list[Gateway], answers: Answers, later: Answer, knows_keys: bool, kind: Kind
    ) -> None:
        gateways[0].settings = {"understands_keys": knows_keys, "answers_look_ups": False}
        gateways[0].save()
        answers["a"] = partial(Ambiguous, "no answer")
        message = send(kind=kind)
        drain(gateways[:1])
        answers["a"] = later
        for _ in range(4):
            make_due()
            drain(gateways)
        assert {name for name, _outcome in journey(message)} == {"a"}
        assert place(message) == "a"
        assert fresh(message).state in {State.UNKNOWN, State.UNRESOLVED}
        assert SandboxSms.objects.exclude(gateway__name="a").count() == 0

    def test_what_is_proven_absent_may_go_elsewhere(self, gateways: list[Gateway], answers: Answers) -> None:
        gateways[0].settings = {"understands_keys": False}
        gateways[0].save()
        answers["a"] = partial(Ambiguous, "no answer")
        message = send(phone="+79990000008")
        drain(gateways[:1])
        pause(gateways[0])
        failover.move_away()
        assert (place(message), fresh(message).state) == ("a", State.UNKNOWN)
        make_due()
        recovery.look_up(gateways[0].pk)
        assert fresh(message).unclear == 0
        drain(gateways)
        assert place(message) == "b"

    def test_a_test_send_goes_nowhere_else(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(GatewayFault, "no funds")
        message = sending.send_test(gateways[0], phone=PHONE, text="", requested_by=None)
        drain(gateways, turns=3)
        assert journey(message) == [("a", Outcome.GATEWAY_FAULT)]
        assert (place(message), fresh(message).state) == ("a", State.HELD)

    @pytest.mark.parametrize(
        "answer", [partial(NotSent, "nobody listens"), partial(GatewayFault, "no funds"), partial(RefusedHere, "no")]
    )
    def test_what_is_meant_for_a_strict_gateway_goes_nowhere_else(
        self, gateways: list[Gateway], answers: Answers, answer: Answer
    ) -> None:
        accounts.change(gateways[0], strict=True)
        answers["a"] = answer
        message = send()
        for _ in range(3):
            make_due()
            drain(gateways)
        assert place(message) == "a"
        assert {name for name, _outcome in journey(message)} == {"a"}

    def test_the_same_key_goes_everywhere(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = answers["b"] = partial(GatewayFault, "no funds")
        message = send()
        drain(gateways)
        assert place(message) == "c"
        assert set(message.attempts.values_list("key", flat=True)) == {message.key}

    def test_what_its_own_file_refuses_is_on_record_and_may_go_elsewhere(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse_when_building(monkeypatch, {"a": partial(RefusedHere, "too long for this account")})
        message = send()
        drain(gateways)
        assert journey(message) == [("a", Outcome.REFUSED), ("b", Outcome.ACCEPTED)]
        first = message.attempts.first()
        assert first
        assert first.detail == "too long for this account"
        assert first.finished_at
        assert GatewayHealth.objects.get(gateway=gateways[0]).day_count == 0

    def test_what_its_own_file_refuses_for_good_fails(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse_when_building(monkeypatch, {"a": partial(Refused, "no phone at all")})
        message = send()
        drain(gateways, turns=2)
        assert journey(message) == [("a", Outcome.REFUSED)]
        assert (fresh(message).state, fresh(message).reason) == (State.FAILED, "no phone at all")

    def test_what_its_own_file_refuses_after_an_unclear_attempt_is_left_to_a_person(
        self, gateways: list[Gateway], answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        refuse_when_building(monkeypatch, {"a": partial(RefusedHere, "too long for this account")})
        make_due()
        drain(gateways)
        assert (place(message), fresh(message).state) == ("a", State.UNRESOLVED)

    def test_a_worker_that_lost_its_message_records_no_refusal(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = send()
        claimed, _ = claiming.claim(gateways[0])
        let_time_pass(60)
        recovery.recover()
        refuse_when_building(monkeypatch, {"a": partial(RefusedHere, "too long for this account")})
        assert begin(gateways[0], claimed) == []
        assert journey(message) == []
        assert (place(message), fresh(message).state) == ("a", State.QUEUED)


def refuse_when_building(monkeypatch: pytest.MonkeyPatch, refusals: Answers) -> None:
    """These gateways' files refuse a message before anything is sent."""
    submit = Provider.submit

    def build(provider: Provider, sms: OutboundSms) -> HttpRequest:
        if answer := refusals.get(provider.gateway):
            outcome = answer()
            raise outcome
        return submit(provider, sms)

    monkeypatch.setattr(Provider, "submit", build)


class TestTheSweep:
    """What waits at a gateway that may not be used."""

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    @pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
    def test_it_moves_what_waits_in_one_turn(self, gateways: list[Gateway], obstacle: Obstacle, state: State) -> None:
        messages = [send() for _ in range(3)]
        if state == State.HELD:
            Message.objects.update(state=state, waits_for=Wait.GATEWAY, due_at=timezone.now() + FAR)
        obstacle(gateways[0])
        tasks.sweep()
        assert {place(message) for message in messages} == {"b"}
        assert claiming.anything_due(gateways[1])
        drain(gateways)
        assert {fresh(message).state for message in messages} == {State.SUBMITTED}
        assert all(journey(message) == [("b", Outcome.ACCEPTED)] for message in messages)

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_it_leaves_what_is_unclear(self, gateways: list[Gateway], answers: Answers, obstacle: Obstacle) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways[:1])
        make_due()
        obstacle(gateways[0])
        tasks.sweep()
        assert (place(message), fresh(message).state) == ("a", State.UNKNOWN)

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_it_leaves_a_test(self, gateways: list[Gateway], obstacle: Obstacle) -> None:
        message = sending.send_test(gateways[0], phone=PHONE, text="", requested_by=None)
        obstacle(gateways[0])
        tasks.sweep()
        assert place(message) == "a"

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_it_leaves_what_is_meant_for_a_strict_gateway(self, gateways: list[Gateway], obstacle: Obstacle) -> None:
        accounts.change(gateways[0], strict=True)
        messages = [send(), send("")]
        obstacle(gateways[0])
        tasks.sweep()
        assert {place(message) for message in messages} == {"a"}

    def test_a_strict_gateway_hands_on_what_it_took_for_others(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[1], strict=True)
        pause(gateways[0])
        stands_in, its_own = send("a"), send("b")
        assert place(stands_in) == "b"
        pause(gateways[1])
        tasks.sweep()
        assert (place(stands_in), place(its_own)) == ("c", "b")

    def test_what_waits_elsewhere_returns_to_a_gateway_that_became_strict(self, gateways: list[Gateway]) -> None:
        pause(gateways[0])
        message = send("a")
        accounts.change(gateways[0], strict=True)
        pause(gateways[1])
        tasks.sweep()
        assert place(message) == "b"
        GatewayHealth.objects.filter(gateway=gateways[0]).update(open_until=timezone.now() - NEAR)
        tasks.sweep()
        assert place(message) == "a"

    def test_it_leaves_what_is_meant_for_the_sandbox(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = send()
        monkeypatch.setattr(Provider, "alone", True)
        Gateway.objects.filter(name="b").update(provider="smsc_ru")
        pause(gateways[0])
        tasks.sweep()
        assert place(message) == "a"

    def test_without_another_one_it_waits(self, gateways: list[Gateway]) -> None:
        message = send()
        for gateway in reversed(gateways):
            pause(gateway)
        tasks.sweep()
        assert (place(message), fresh(message).state) == ("a", State.QUEUED)

    def test_it_moves_nothing_past_its_validity(self, gateways: list[Gateway]) -> None:
        message = send()
        let_time_pass(25 * 3600)
        pause(gateways[0])
        tasks.sweep()
        assert (place(message), fresh(message).state) == ("a", State.LAPSED)

    def test_what_cannot_move_does_not_stand_in_the_way(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failover, "SOME", 2)
        accounts.change(gateways[1], prefixes=["+375"])
        switch_off(gateways[2])
        stay = [send(kind=Kind.CODE) for _ in range(3)]
        moves = send(phone="+375291234567")
        pause(gateways[0])
        tasks.sweep()
        assert {place(message) for message in stay} == {"a"}
        assert place(moves) == "b"

    def test_another_gateway_gets_no_more_than_it_can_hand_over_soon(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[1], rate_per_second=2)
        switch_off(gateways[2])
        for _ in range(10):
            send("a")
        pause(gateways[0])
        tasks.sweep()
        # Two a second, and the sweep comes every second: it never runs dry, and its own wait behind no more than that.
        assert Counter(map(place, Message.objects.all())) == {"a": 6, "b": 4}
        tasks.sweep()
        assert Message.objects.filter(gateway=gateways[1]).count() == 4

    def test_what_finds_no_room_at_one_goes_to_the_next(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[1], rate_per_second=1)
        for _ in range(5):
            send("a")
        pause(gateways[0])
        tasks.sweep()
        assert Counter(map(place, Message.objects.all())) == {"b": 2, "c": 3}

    def test_a_gateway_on_trial_gets_one(self, gateways: list[Gateway]) -> None:
        GatewayHealth.objects.filter(gateway=gateways[1]).update(faults=1, open_until=timezone.now() - NEAR)
        for _ in range(3):
            send("a")
        pause(gateways[0])
        tasks.sweep()
        assert Counter(map(place, Message.objects.all())) == {"b": 1, "c": 2}

    def test_the_most_urgent_goes_first(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[1], rate_per_second=0.5)
        switch_off(gateways[2])
        send(kind=Kind.INFORMATION)
        code = send(kind=Kind.CODE)
        send(kind=Kind.CREDENTIALS)
        pause(gateways[0])
        tasks.sweep()
        assert Message.objects.get(gateway=gateways[1]) == code

    def test_a_daily_limit_is_not_overfilled(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[1], daily_limit=2)
        switch_off(gateways[2])
        for _ in range(5):
            send("a")
        pause(gateways[0])
        tasks.sweep()
        assert Message.objects.filter(gateway=gateways[1]).count() == 2


class TestNewsOfAGateway:
    """`tasks.gateway_changed`, which messaging hands to gateways."""

    @pytest.mark.parametrize("obstacle", [pause, refuse_credentials])
    def test_what_waits_moves_at_once_and_the_bell_rings_for_it(
        self, gateways: list[Gateway], bells: list[tuple[str, tuple[Any, ...]]], obstacle: Obstacle
    ) -> None:
        message = send()
        bells.clear()
        obstacle(gateways[0])
        assert place(message) == "b"
        assert ("messaging.tasks.drain", (gateways[1].pk,)) in bells

    def test_corrected_settings_release_what_was_held(
        self, gateways: list[Gateway], answers: Answers, bells: list[tuple[str, tuple[Any, ...]]]
    ) -> None:
        accounts.change(gateways[0], strict=True)
        answers["a"] = partial(CredentialsRefused, "wrong password")
        messages = [send(), send()]
        drain(gateways)
        assert fresh(messages[0]).state == State.HELD
        answers.clear()
        bells.clear()
        health.begin_anew(gateways[0].pk)
        assert ("messaging.tasks.drain", (gateways[0].pk,)) in bells
        drain(gateways)
        assert {fresh(message).state for message in messages} == {State.SUBMITTED}

    def test_a_gateway_that_recovers_by_itself_releases_nothing_before_its_time(self, gateways: list[Gateway]) -> None:
        message = send()
        Message.objects.update(state=State.HELD, waits_for=Wait.GATEWAY, due_at=timezone.now() + FAR)
        due_at = fresh(message).due_at
        tasks.gateway_changed(gateways[0].pk, Change.RECOVERED)
        assert fresh(message).due_at == due_at

    def test_a_low_balance_moves_nothing(self, gateways: list[Gateway]) -> None:
        message = send()
        tasks.gateway_changed(gateways[0].pk, Change.BALANCE)
        assert place(message) == "a"


class TestNothingRunsInCircles:
    """Two faulty gateways do not hand a message to and fro without end."""

    @pytest.mark.parametrize(
        "answer",
        [
            partial(GatewayFault, "no funds"),
            partial(CredentialsRefused, "wrong password"),
            partial(RefusedHere, "the sender is not known"),
            partial(NotSent, "nobody listens"),
            partial(RefusedForNow, "too fast"),
        ],
        ids=lambda answer: answer.func.__name__,
    )
    def test_without_time_passing_each_gateway_is_tried_once(
        self, gateways: list[Gateway], answers: Answers, answer: Answer
    ) -> None:
        for name in "abc":
            answers[name] = answer
        message = send()
        drain(gateways, turns=10)
        tried = Counter(name for name, _outcome in journey(message))
        assert max(tried.values()) == 1

    def test_in_an_hour_of_faults_a_gateway_is_tried_as_often_as_its_pauses_allow(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for name in "abc":
            answers[name] = partial(GatewayFault, "no funds")
        messages = [send() for _ in range(5)]
        pass_an_hour(gateways)
        # Pauses of 30, 60, 120, 240, 480 and then 600 seconds; at the first, all that are in flight come back.
        pauses = 10
        tried = Counter(Attempt.objects.values_list("gateway__name", flat=True))
        assert max(tried.values()) <= len(messages) + pauses
        assert {fresh(message).failures for message in messages} == {0}

    def test_in_an_hour_of_mixed_trouble_tries_are_bounded(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(NotSent, "nobody listens")
        answers["b"] = partial(GatewayFault, "no funds")
        answers["c"] = partial(RefusedForNow, "too fast", retry_after=60)
        message = send()
        pass_an_hour(gateways)
        tried = Counter(name for name, _outcome in journey(message))
        # In these tests a retry takes as long as it may: a quarter of an hour.
        assert tried["b"] <= 10
        assert tried["a"] + tried["c"] <= 1 + 3600 / retries.RULES[Kind.INFORMATION].cap

    def test_a_gateway_that_stays_away_for_ever_ends_with_a_failure(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        for name in "abc":
            answers[name] = partial(NotSent, "nobody listens")
        message = send(kind=Kind.CODE)
        for _ in range(2 * retries.RULES[Kind.CODE].tries):
            make_due()
            GatewayHealth.objects.update(open_until=None, faults=0, troubles=0)
            let_rest()
            drain(gateways)
        assert fresh(message).state == State.FAILED
        assert len(journey(message)) == retries.RULES[Kind.CODE].tries


def pass_an_hour(gateways: list[Gateway]) -> None:
    """Ten seconds at a time; in each of them everybody does what is due."""
    step = timedelta(seconds=10)
    for _ in range(360):
        drain(gateways)
        Message.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - step)
        GatewayHealth.objects.filter(open_until__isnull=False).update(open_until=F("open_until") - step)


class TestRaces:
    """Claiming and moving at once."""

    def test_a_message_is_claimed_at_one_gateway_only_while_it_is_moved(self, gateways: list[Gateway]) -> None:
        a, b, _c = gateways
        messages = [send() for _ in range(40)]
        switch_off(a)
        claimed: list[tuple[int, int]] = []
        start = Barrier(6)

        def claim(gateway: Gateway) -> None:
            # A worker that looked before the gateway was switched off claims there still.
            for _ in range(6):
                claimed.extend((one.pk, gateway.pk) for one in claiming.claim(gateway)[0])

        def move() -> None:
            for _ in range(6):
                failover.move_away()

        at_once(start, [partial(claim, a), partial(claim, a), partial(claim, b), partial(claim, b), move, move])
        pks = [pk for pk, _gateway in claimed]
        assert len(pks) == len(set(pks))
        for message in messages:
            assert [(message.pk, fresh(message).gateway_id)] == [one for one in claimed if one[0] == message.pk] or (
                fresh(message).state == State.QUEUED
            )

    def test_what_was_claimed_since_it_was_looked_at_is_not_moved(self, gateways: list[Gateway]) -> None:
        claimed_since, unclear_since, waits = messages = [send() for _ in range(3)]
        Message.objects.filter(pk=claimed_since.pk).update(state=State.CLAIMED)
        Message.objects.filter(pk=unclear_since.pk).update(unclear=1)
        assert Message.move_waiting(messages, gateways[1]) == 1
        assert [place(message) for message in (claimed_since, unclear_since, waits)] == ["a", "a", "b"]

    def test_nothing_is_sent_twice_while_drains_and_sweeps_run_at_once(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        answers["a"] = partial(GatewayFault, "no funds")
        messages = [send() for _ in range(40)]
        start = Barrier(4)

        def work(gateway: Gateway) -> None:
            for _ in range(4):
                delivery.drain(gateway.pk)

        def move() -> None:
            for _ in range(8):
                failover.move_away()

        at_once(start, [*(partial(work, gateway) for gateway in gateways), move])
        drain(gateways, turns=2)
        accepted = Counter(Attempt.objects.filter(outcome=Outcome.ACCEPTED).values_list("message", flat=True))
        assert accepted == {message.pk: 1 for message in messages}
        assert {fresh(message).state for message in messages} == {State.SUBMITTED}


def at_once(start: Barrier, works: list[Callable[[], None]]) -> None:
    """All of them in threads of their own that begin together."""

    def run(work: Callable[[], None]) -> None:
        start.wait()
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result()


class TestInBetween:
    """The gateway is not what it was when the message was accepted."""

    def test_one_that_is_switched_off_is_not_drained(self, gateways: list[Gateway]) -> None:
        message = send()
        accounts.change(gateways[0], enabled=False)
        delivery.drain(gateways[0].pk)
        assert journey(message) == []
        tasks.sweep()
        assert place(message) == "b"

    def test_one_with_messages_cannot_be_deleted_be_it_only_wanted(self, gateways: list[Gateway]) -> None:
        pause(gateways[0])
        message = send("a")
        assert (place(message), fresh(message).wanted) == ("b", gateways[0])
        accounts.change(gateways[1], is_default=True)
        with pytest.raises(Exception, match="messages on record"):
            accounts.delete(gateways[0])
        drain(gateways)
        assert fresh(message).state == State.SUBMITTED

    def test_a_bell_for_one_that_was_deleted_is_no_failure(self, gateways: list[Gateway]) -> None:
        number = gateways[2].pk
        accounts.delete(gateways[2])
        delivery.drain(number)
        tasks.sweep()

    def test_prefixes_that_were_narrowed_hold_for_what_waits(self, gateways: list[Gateway]) -> None:
        message = send()
        for gateway in gateways:
            leave_the_phone_out(gateway)
        drain(gateways)
        assert journey(message) == []
        waits = waiting.why(fresh(message))
        assert waits
        assert waits.sentence == waiting.NOT_ITS_PHONE
        Gateway.objects.filter(name="c").update(prefixes=["+375", "+7"])
        tasks.sweep()
        assert place(message) == "c"

    def test_an_unclear_message_is_cleared_up_where_it_is_although_the_prefixes_were_narrowed(
        self, gateways: list[Gateway], answers: Answers
    ) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        leave_the_phone_out(gateways[0])
        answers.clear()
        make_due()
        drain(gateways)
        assert journey(message) == [("a", Outcome.AMBIGUOUS), ("a", Outcome.ACCEPTED)]


class TestDailyLimit:
    def test_what_is_over_the_limit_goes_through_another_gateway(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[0], daily_limit=2)
        messages = [send() for _ in range(5)]
        drain(gateways, turns=2)
        assert Counter(name for message in messages for name, _outcome in journey(message)) == {"a": 2, "b": 3}

    def test_without_another_one_it_waits_and_goes_out_the_next_day(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[0], daily_limit=1, strict=True)
        with time_machine.travel(datetime(2026, 11, 22, 20, 50, tzinfo=UTC), tick=False) as clock:
            let_rest()
            first, second = send(), send()
            assert [one.pk for one in claiming.claim(gateways[0])[0]] == [first.pk]
            clock.shift(timedelta(seconds=5))
            tasks.sweep()
            assert claiming.claim(gateways[0])[0] == []
            waits = waiting.why(fresh(second))
            assert waits
            assert (place(second), waits.reason, waits.sentence) == ("a", Wait.GATEWAY, waiting.LIMIT_REACHED)
            assert gateways[0].pk not in claiming.gateways_with_due()
            # Midnight of the portal's zone, which is Moscow's.
            clock.move_to(datetime(2026, 11, 22, 21, 0, 1, tzinfo=UTC))
            assert gateways[0].pk in claiming.gateways_with_due()
            assert [one.pk for one in claiming.claim(gateways[0])[0]] == [second.pk]

    @pytest.mark.parametrize(
        ("answer", "counts"),
        [
            (partial(NotSent, "nobody listens"), False),
            (partial(RefusedForNow, "too fast"), False),
            (partial(GatewayFault, "no funds"), False),
            (partial(Refused, "no such phone"), False),
            (partial(Ambiguous, "no answer"), True),
        ],
        ids=lambda value: value.func.__name__ if isinstance(value, partial) else "",
    )
    def test_only_what_may_have_been_sent_counts(
        self, gateways: list[Gateway], answers: Answers, answer: Answer, counts: bool
    ) -> None:
        accounts.change(gateways[0], daily_limit=5)
        answers["a"] = answer
        send()
        delivery.drain(gateways[0].pk)
        assert GatewayHealth.objects.get(gateway=gateways[0]).day_count == int(counts)

    def test_a_request_that_cannot_be_built_does_not_count(
        self, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accounts.change(gateways[0], daily_limit=5)
        refuse_when_building(monkeypatch, {"a": partial(NotSent, "anything that a file may raise")})
        send()
        delivery.drain(gateways[0].pk)
        assert GatewayHealth.objects.get(gateway=gateways[0]).day_count == 0


class TestWhyItWaits:
    """Every cause in a sentence."""

    @pytest.mark.parametrize(
        ("obstacle", "sentence"),
        [
            (pause, Wait.GATEWAY.label),
            (refuse_credentials, waiting.CREDENTIALS_REFUSED),
            (spend_daily_limit, waiting.LIMIT_REACHED),
            (switch_off, waiting.SWITCHED_OFF),
            (leave_the_phone_out, waiting.NOT_ITS_PHONE),
        ],
    )
    def test_a_gateway_that_may_not_be_used(self, gateways: list[Gateway], obstacle: Obstacle, sentence: str) -> None:
        message = send(only_here=True)
        obstacle(gateways[0])
        waits = waiting.why(fresh(message))
        assert waits
        assert (waits.reason, waits.sentence) == (Wait.GATEWAY, sentence)
        assert waits.until == health.paused_until(gateways[0].pk)

    def test_an_ordinary_turn(self, gateways: list[Gateway]) -> None:
        message = send()
        assert waiting.why(message) == waiting.Waiting("", waiting.NEXT_WORKER, message.due_at)

    def test_a_retry(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(NotSent, "nobody listens")
        message = send(only_here=True)
        drain(gateways)
        waits = waiting.why(fresh(message))
        assert waits == waiting.Waiting(Wait.RETRY, Wait.RETRY.label, fresh(message).due_at)

    def test_an_unclear_attempt(self, gateways: list[Gateway], answers: Answers) -> None:
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        waits = waiting.why(fresh(message))
        assert waits == waiting.Waiting(Wait.CLEARING, Wait.CLEARING.label, fresh(message).due_at)

    def test_a_question_waits_for_neither_pause_nor_limit(self, gateways: list[Gateway], answers: Answers) -> None:
        gateways[0].settings = {"understands_keys": False}
        gateways[0].save()
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        pause(gateways[0])
        spend_daily_limit(gateways[0])
        waits = waiting.why(fresh(message))
        assert waits == waiting.Waiting(Wait.CLEARING, Wait.CLEARING.label, fresh(message).ask_at)

    @pytest.mark.parametrize("obstacle", [refuse_credentials, switch_off])
    def test_nobody_asks_a_gateway_that_is_stopped(
        self, gateways: list[Gateway], answers: Answers, obstacle: Obstacle
    ) -> None:
        gateways[0].settings = {"understands_keys": False}
        gateways[0].save()
        answers["a"] = partial(Ambiguous, "no answer")
        message = send()
        drain(gateways)
        obstacle(gateways[0])
        make_due()
        waits = waiting.why(fresh(message))
        assert waits
        assert waits.reason == Wait.GATEWAY
        assert receipts.gateways_to_ask() == []

    def test_what_does_not_wait_says_nothing(self, gateways: list[Gateway]) -> None:
        message = send()
        for state in set(State) - set(WAITING):
            Message.objects.update(state=state)
            assert waiting.why(fresh(message)) is None


def test_moved_messages_are_asked_about_where_they_were_accepted(gateways: list[Gateway], answers: Answers) -> None:
    answers["a"] = partial(NotSent, "nobody listens")
    message = send()
    drain(gateways)
    make_due()
    drain(gateways)
    make_due()
    SandboxSms.objects.update(settles_at=timezone.now())
    assert receipts.gateways_to_ask() == [gateways[1].pk]
    receipts.ask(gateways[1].pk)
    assert fresh(message).state == State.DELIVERED
    assert DeliveryEvent.objects.get().gateway == gateways[1]


def test_survey_sees_the_gateways_of_one_moment(gateways: list[Gateway]) -> None:
    survey = routing.Survey()
    pause(gateways[1])
    assert [one.name for one in survey.usable_besides(gateways[0])] == ["b", "c"]
    assert [one.name for one in routing.Survey().usable_besides(gateways[0])] == ["c"]


def test_what_is_for_later_waits_where_it_was_meant_to_go_whatever_ails_that_now(gateways: list[Gateway]) -> None:
    pause(gateways[0])
    assert place(send()) == "b"
    scheduled = send(due_at=timezone.now() + timedelta(days=3))
    failover.move_away()
    assert place(scheduled) == "a"
    Message.objects.filter(pk=scheduled.pk).update(due_at=timezone.now())
    failover.move_away()
    assert place(scheduled) == "b"
