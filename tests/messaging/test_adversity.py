"""What must not happen when a worker is late, the database stumbles, or a provider's file or answer is broken."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.utils import timezone

from gateways import sessions, transport
from gateways.auth import Token
from gateways.http import HttpResponse
from gateways.models import Gateway, GatewayHealth, GatewaySession, SandboxSms
from gateways.outcomes import Accepted, GatewayFault, Outcome, Receipt, ReceiptState, Refused
from gateways.provider import BaseProvider
from gateways.providers.sandbox import Provider
from messaging import answers, claiming, delivery, receipts, recovery, settling
from messaging.answers import Understood
from messaging.drains import drains
from messaging.models import LEASED, Attempt, DeliveryEvent, Message, State
from messaging.retries import Kind
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import Send, begin, fresh
from tests.messaging.peers import account_at
from tests.simulators.server import Fault

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

SLOW = "+79990000006"


def plain(gateway: Gateway) -> None:
    """Like most providers: it knows no keys and cannot be asked."""
    gateway.settings = {"understands_keys": False, "answers_look_ups": False}
    gateway.save()


def test_answers_already_received_survive_a_database_that_stumbles(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(sandbox)
    message = send(kind=Kind.CREDENTIALS)
    settle, failures = settling.settle, [OperationalError("database is locked")] * 2

    def stumble(landed: Any) -> None:
        if failures and landed:
            raise failures.pop()
        settle(landed)

    monkeypatch.setattr(delivery, "settle", stumble)
    monkeypatch.setattr(delivery, "TRY_AGAIN", 0.01)
    with pytest.raises(OperationalError):
        delivery.drain(sandbox.pk)
    assert failures == []
    assert fresh(message).state == State.SUBMITTED


def test_what_is_in_the_air_is_brought_home_before_anybody_logs_in(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login may take as long as the leases last."""
    in_the_air: list[int] = []
    begin_them, log_in = delivery.begin, sessions._log_in

    def note(gateway: Gateway, provider: BaseProvider) -> Token:
        in_the_air.append(Message.objects.filter(state__in=LEASED).count())
        return log_in(gateway, provider)

    with account_at("axelnac", api(admin)) as account:

        def lose_the_token(*given: Any) -> Any:
            started = begin_them(*given)
            if len(messages) == 1:
                GatewaySession.objects.update(token=None)
                messages.append(account.send("+79161234568"))
                # The bell rings while the first one is in the air.
                assert not drains.begin(account.gateway.pk)
            return started

        account.simulator.faults.add(Fault.SLOW)
        messages = [account.send("+79161234567")]
        monkeypatch.setattr(delivery, "begin", lose_the_token)
        monkeypatch.setattr(sessions, "_log_in", note)
        account.drain()
        transport.stop()
    assert in_the_air == [0, 0]
    assert {fresh(message).state for message in messages} == {State.NO_RECEIPT}


@pytest.mark.parametrize("failure", [OperationalError("database is locked"), DataError("out of range"), KeyError("x")])
def test_a_claim_that_fails_does_not_drop_what_is_in_the_air(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    plain(sandbox)
    message = send(phone=SLOW, kind=Kind.CREDENTIALS)
    looks: list[Gateway] = []

    def look(gateway: Gateway) -> bool:
        looks.append(gateway)
        if len(looks) == 2:
            raise failure
        return claiming.anything_due(gateway)

    monkeypatch.setattr(delivery, "anything_due", look)
    with pytest.raises(type(failure)):
        delivery.drain(sandbox.pk)
    assert fresh(message).state == State.SUBMITTED
    assert SandboxSms.objects.count() == 1


def test_answers_that_cannot_be_settled_do_not_drop_what_is_in_the_air(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(sandbox)
    quick, slow = send(), send(phone=SLOW, kind=Kind.CREDENTIALS)
    tell_health, failures = settling._tell_health, [DataError("out of range")]

    def fail_once(*given: Any) -> None:
        if failures:
            raise failures.pop()
        tell_health(*given)

    monkeypatch.setattr(settling, "_tell_health", fail_once)
    with pytest.raises(DataError):
        delivery.drain(sandbox.pk)
    assert {fresh(message).state for message in (quick, slow)} == {State.SUBMITTED}


def test_an_answer_that_nobody_understands_is_unclear_and_takes_no_other_along(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(sandbox)
    good, bad = send(), send()
    understand = answers.understand

    def fail_for_bad(provider: BaseProvider, message: Message, *rest: Any) -> Understood:
        if message.pk == bad.pk:
            raise KeyError("of its text")
        return understand(provider, message, *rest)

    monkeypatch.setattr(answers, "understand", fail_for_bad)
    delivery.drain(sandbox.pk)
    assert fresh(good).state == State.SUBMITTED
    attempt = bad.attempts.get()
    assert (attempt.outcome, attempt.detail) == (Outcome.AMBIGUOUS, "the answer cannot be understood (KeyError)")


def test_an_answer_that_cannot_be_written_does_not_take_the_others_along(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = [send() for _ in range(3)], send()
    close = settling._close

    def fail_for_one(written: Sequence[Understood], provider: BaseProvider) -> None:
        if any(one.message.pk == bad.pk for one in written):
            raise ValueError("it does not fit")
        close(written, provider)

    monkeypatch.setattr(settling, "_close", fail_for_one)
    delivery.drain(sandbox.pk)
    assert {fresh(message).state for message in good} == {State.SUBMITTED}
    assert fresh(bad).state == State.SUBMITTING


@pytest.mark.parametrize("words", ["half a pair \ud800", "nul \x00", "x" * 5000])
def test_whatever_a_provider_writes_can_be_kept(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    def refuse(_provider: Provider, _response: HttpResponse) -> Accepted:
        raise Refused(words)

    monkeypatch.setattr(Provider, "read_submit", refuse)
    monkeypatch.setattr(Provider, "redact", lambda _provider, _text: words)
    message = send()
    delivery.drain(sandbox.pk)
    assert fresh(message).state == State.FAILED
    receipts.record(sandbox, [Receipt(words, ReceiptState.DELIVERED, detail=words)])
    assert DeliveryEvent.objects.count() == 1


def test_a_message_that_cannot_be_built_does_not_hold_up_the_others(send: Send, sandbox: Gateway) -> None:
    broken = send(kind=Kind.CODE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET text = 'of a key long gone' WHERE id = %s", [broken.pk])
    good = send()
    delivery.drain(sandbox.pk)
    assert fresh(good).state == State.SUBMITTED
    waiting = fresh(broken)
    assert (waiting.state, waiting.failures) == (State.QUEUED, 1)
    assert "ENCRYPTION_KEYS" in waiting.reason


def test_a_fault_of_one_message_does_not_make_it_come_back_with_every_answer(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Provider.read_submit

    def fault_for_the_first(provider: Provider, response: HttpResponse) -> Accepted:
        accepted = read(provider, response)
        if SandboxSms.objects.get(pk=accepted.reference).phone == "+79160000001":
            raise GatewayFault("no funds for this direction")
        return accepted

    monkeypatch.setattr(Provider, "read_submit", fault_for_the_first)
    first = send(phone="+79160000001")
    delivery.drain(sandbox.pk)
    for _ in range(3):
        GatewayHealth.objects.update(open_until=timezone.now() - timedelta(seconds=1))
        other = send()
        delivery.drain(sandbox.pk)
        assert fresh(other).state == State.SUBMITTED
    assert first.attempts.count() == 1


def test_a_broken_provider_stops_neither_the_sweep_nor_other_gateways(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = send()
    claiming.claim(sandbox)
    Message.objects.update(state=State.SUBMITTING, lease_until=timezone.now() - timedelta(seconds=1))
    overdue = send()
    Message.objects.filter(pk=overdue.pk).update(valid_until=timezone.now() - timedelta(seconds=1))

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a bad setting")

    monkeypatch.setattr(Provider, "__init__", broken)
    recovery.recover()
    assert fresh(overdue).state == State.LAPSED
    assert fresh(stuck).state == State.UNRESOLVED


def test_an_old_receipt_is_not_taken_for_a_new_message_with_the_same_reference(send: Send, sandbox: Gateway) -> None:
    old = send()
    delivery.drain(sandbox.pk)
    reference = fresh(old).reference
    receipts.record(sandbox, [Receipt(reference, ReceiptState.DELIVERED)])
    new = send()
    started = begin(sandbox, claiming.claim(sandbox)[0])
    ((message, attempt, _),) = started
    answer = HttpResponse(200, {}, json.dumps({"reference": reference}).encode())
    settling.settle([(message, attempt, transport.Landing(attempt.pk, answer, None))])
    assert fresh(new).state == State.SUBMITTED
    assert DeliveryEvent.objects.get().message == old


def test_an_orphan_whose_reference_was_committed_at_the_same_moment_is_matched_by_the_sweep(
    send: Send, sandbox: Gateway
) -> None:
    message = send()
    delivery.drain(sandbox.pk)
    reference = fresh(message).reference
    DeliveryEvent.objects.create(
        gateway=sandbox, reference=reference, reference_key=reference, state=ReceiptState.DELIVERED
    )
    recovery.recover()
    assert fresh(message).state == State.DELIVERED
    assert DeliveryEvent.objects.get().message == message


@pytest.mark.parametrize("echo", [lambda text: text, json.dumps], ids=["raw", "json"])
def test_a_provider_that_echoes_the_text_does_not_get_it_stored(
    send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, echo: Callable[[str], str]
) -> None:
    text = 'Логин bob, пароль "Кварц-91"'

    def refuse(_provider: Provider, _response: HttpResponse) -> Accepted:
        raise Refused(f"not allowed: {text}")

    monkeypatch.setattr(Provider, "read_submit", refuse)
    monkeypatch.setattr(Provider, "redact", lambda _provider, _body: f"<sms>{echo(text)}</sms>")
    message = send(text=text)
    delivery.drain(sandbox.pk)
    attempt = Attempt.objects.get(message=message)
    assert attempt.outcome == Outcome.REFUSED
    kept = json.dumps(attempt.exchange, ensure_ascii=False) + attempt.detail + fresh(message).reason
    assert "Кварц" not in kept
    assert json.dumps("Кварц")[1:-1] not in kept


def test_only_one_thread_asks_a_gateway(send: Send, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ask(gateway_id: int) -> bool:
        asked.append(gateway_id)
        recovery.inquire(gateway_id)
        return False

    monkeypatch.setattr(receipts, "ask", ask)
    recovery.inquire(sandbox.pk)
    assert asked == [sandbox.pk]
