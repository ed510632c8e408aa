"""What a claim takes: no more than there are tokens and places, codes first, and the last tenth for codes alone."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from gateways import sessions
from gateways.auth import Token
from gateways.models import Gateway, GatewayHealth
from gateways.providers.sandbox import Provider
from messaging import claiming, delivery, recovery, ringing
from messaging.drains import Busy, drains
from messaging.models import Message, OptOut, State
from messaging.retries import Kind
from tests.messaging.conftest import Send, begin, fresh, let_time_pass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

#: The sandbox answers no message to this phone for so long that it stays in the air.
SLOW = "+79990000006"


def limited(gateway: Gateway, *, at_once: int = 50, rate: float = 50) -> Gateway:
    gateway.max_in_flight, gateway.rate_per_second = at_once, rate
    gateway.save()
    return gateway


def claimed_by(gateway: Gateway) -> list[Message]:
    return claiming.claim(Gateway.objects.select_related("health").get(pk=gateway.pk))[0]


def drained(gateway: Gateway) -> None:
    """For a thread, whose connection is its own."""
    delivery.drain(gateway.pk)
    connection.close()


def test_information_leaves_the_last_tenth_of_the_places_to_codes(send: Send, sandbox: Gateway) -> None:
    limited(sandbox, at_once=20)
    for _ in range(30):
        send()
    assert len(claimed_by(sandbox)) == 18
    assert claimed_by(sandbox) == []
    codes = [send(kind=Kind.CODE) for _ in range(3)]
    assert claimed_by(sandbox) == codes[:2]
    assert claimed_by(sandbox) == []


def test_information_leaves_the_last_tenth_of_the_tokens_to_codes(send: Send, sandbox: Gateway) -> None:
    limited(sandbox, at_once=1000, rate=40)
    GatewayHealth.objects.update(pace_tokens=40)
    for _ in range(60):
        send()
    # A token or two may have come while they were accepted, and the bucket was full.
    assert len(claimed_by(sandbox)) == 36
    codes = [send(kind=Kind.CODE) for _ in range(4)]
    assert {message.pk for message in claimed_by(sandbox)} >= {code.pk for code in codes}


def test_codes_may_take_all(send: Send, sandbox: Gateway) -> None:
    limited(sandbox, at_once=20)
    codes = [send(kind=Kind.CODE) for _ in range(22)]
    assert claimed_by(sandbox) == codes[:20]


def test_a_gateway_that_may_have_few_at_once_keeps_no_place(send: Send, sandbox: Gateway) -> None:
    limited(sandbox, at_once=3)
    messages = [send() for _ in range(4)]
    assert claimed_by(sandbox) == messages[:3]


def test_one_that_is_on_trial_is_given_one(send: Send, sandbox: Gateway) -> None:
    GatewayHealth.objects.update(faults=1)
    messages = [send() for _ in range(3)]
    assert claimed_by(sandbox) == messages[:1]


def test_where_nothing_is_claimed_no_token_is_gone(send: Send, sandbox: Gateway) -> None:
    assert claimed_by(sandbox) == []
    assert GatewayHealth.objects.get().day_count == 0


def test_a_pace_that_is_reached_says_when_to_come_again(send: Send, sandbox: Gateway) -> None:
    limited(sandbox, rate=0.5)
    GatewayHealth.objects.update(pace_tokens=1)
    send()
    send()
    rows, wait = claiming.claim(sandbox)
    assert (len(rows), wait) == (1, 1.0)


def test_only_what_is_still_this_workers_is_put_on_record(send: Send, sandbox: Gateway) -> None:
    kept, lost = send(), send()
    claimed = claimed_by(sandbox)
    assert claimed == [kept, lost]
    Message.objects.filter(pk=lost.pk).update(epoch=7)
    started = begin(sandbox, claimed)
    assert [message.pk for message, _attempt, _request in started] == [kept.pk]
    assert (fresh(kept).state, fresh(lost).state) == (State.SUBMITTING, State.CLAIMED)
    # The lost one is counted by whoever took it.
    assert GatewayHealth.objects.get().day_count == 2


def test_what_a_frozen_worker_lost_is_not_taken_off_the_days_count_a_second_time(send: Send, sandbox: Gateway) -> None:
    for _ in range(3):
        send()
    frozen = claimed_by(sandbox)
    let_time_pass(120)
    recovery.recover()
    assert GatewayHealth.objects.get().day_count == 0
    assert len(begin(sandbox, claimed_by(sandbox))) == 3
    assert begin(sandbox, frozen) == []
    assert GatewayHealth.objects.get().day_count == 3


def test_what_became_too_late_after_its_claim_is_taken_off_the_days_count_once(send: Send, sandbox: Gateway) -> None:
    send()
    claimed = claimed_by(sandbox)
    Message.objects.update(valid_until=timezone.now())
    assert begin(sandbox, claimed) == []
    let_time_pass(120)
    recovery.recover()
    assert GatewayHealth.objects.get().day_count == 0


def test_a_message_without_a_request_is_taken_off_the_days_count(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    claimed = claimed_by(sandbox)
    monkeypatch.setattr(Provider, "submit", lambda *_: 1 / 0)
    assert begin(sandbox, claimed) == []
    assert GatewayHealth.objects.get().day_count == 0


def test_where_nobody_wants_the_first_the_next_are_taken(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phones that wrote STOP while their messages were being accepted."""
    monkeypatch.setattr(claiming, "BATCH", 2)
    unwanted = [send(phone=f"+7916000000{number}") for number in range(4)]
    wanted = send()
    for message in unwanted:
        OptOut.objects.create(phone=message.phone)
    assert claimed_by(sandbox) == [wanted]
    assert {fresh(message).state for message in unwanted} == {State.SUPPRESSED}


def test_a_message_that_cannot_be_mended_does_not_stop_the_others(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = send(), send()
    claimed_by(sandbox)
    let_time_pass(120)
    mend = recovery._recover_one

    def stumble(message: Message) -> None:
        if message.pk == bad.pk:
            raise ValueError(message.text)
        mend(message)

    monkeypatch.setattr(recovery, "_recover_one", stumble)
    recovery.recover()
    assert (fresh(bad).state, fresh(good).state) == (State.CLAIMED, State.QUEUED)


def test_a_gateway_that_is_switched_off_while_a_worker_logs_in_is_given_nothing(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = send()

    def switch_off(gateway: Gateway, **_: object) -> sessions.Entry:
        Gateway.objects.filter(pk=gateway.pk).update(enabled=False)
        return sessions.Entry(gateway.open(), Token("t"))

    monkeypatch.setattr(sessions, "enter", switch_off)
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.QUEUED


def test_a_bell_wakes_who_is_busy_with_the_gateway_once() -> None:
    busy, woken = Busy(), []
    assert busy.begin(1)
    busy.listen(1, lambda: woken.append(1))
    assert not busy.begin(1)
    assert not busy.begin(1)
    assert woken == [1]
    assert busy.heard(1)
    assert not busy.begin(1)
    assert woken == [1, 1]


def test_who_is_through_is_woken_no_more() -> None:
    busy, woken = Busy(), []
    assert busy.begin(1)
    busy.listen(1, lambda: woken.append(1))
    assert busy.finished(1)
    assert busy.begin(1)
    assert not busy.begin(1)
    assert woken == []


def test_a_code_that_comes_while_a_drain_waits_for_answers_is_handed_over_before_these_come(
    send: Send, sandbox: Gateway
) -> None:
    slow = send(phone=SLOW)
    drain = threading.Thread(target=drained, args=(sandbox,))
    drain.start()
    try:
        while fresh(slow).state != State.SUBMITTING:
            assert drain.is_alive()
        code = send(kind=Kind.CODE)
        assert not drains.begin(sandbox.pk)
        while fresh(code).state == State.QUEUED:
            assert fresh(slow).state == State.SUBMITTING
    finally:
        drain.join()


def test_a_code_leaves_before_the_others_of_its_claim_are_made_ready(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, code = [send(kind=Kind.INFORMATION) for _ in range(3)], send(kind=Kind.CODE)
    portions: list[set[int]] = []
    begin_them = delivery.begin

    def note(gateway: Gateway, messages: list[Message], entry: sessions.Entry) -> Any:
        portions.append({message.pk for message in messages})
        return begin_them(gateway, messages, entry)

    monkeypatch.setattr(delivery, "begin", note)
    delivery.drain(sandbox.pk)
    assert portions == [{code.pk}, {message.pk for message in others}]
    assert {fresh(message).state for message in (code, *others)} == {State.SUBMITTED}


def test_a_drain_that_cannot_take_all_at_once_rings_for_other_workers(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(sandbox, at_once=1000, rate=10_000)
    GatewayHealth.objects.update(pace_tokens=10_000)
    rung: list[int] = []
    monkeypatch.setattr(delivery, "SHARED_FROM", 3)
    for _ in range(3):
        send()
    monkeypatch.setattr(ringing, "ring_soon", rung.append)
    delivery.drain(sandbox.pk)
    assert rung == [sandbox.pk]


def test_a_drain_that_takes_all_at_once_rings_for_nobody(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    rung: list[int] = []
    monkeypatch.setattr(ringing, "ring_soon", rung.append)
    delivery.drain(sandbox.pk)
    assert rung == []
