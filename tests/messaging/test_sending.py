"""The door: what is accepted, what is refused, what a resend and a cancel do."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gateways.models import Gateway
from messaging import sending
from messaging.models import RESENDABLE, Message, State
from messaging.retries import Kind
from portal import clock
from portal.errors import Refusal, Why
from tests.messaging.conftest import Send, fresh

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"


def test_an_accepted_message_waits_in_the_database_with_its_price(send: Send) -> None:
    message = fresh(send(phone="8 (916) 123-45-67", text="Привет, гость"))
    assert (message.state, message.phone) == (State.QUEUED, "+79161234567")
    assert (message.encoding, message.segments) == ("UCS-2", 1)
    assert message.text == "Привет, гость"


def test_the_bell_rings_when_the_transaction_is_committed_and_not_before(
    send: Send, sandbox: Gateway, bells: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send()
        assert bells == []
    assert bells == [("messaging.tasks.drain", (sandbox.pk,))]


def test_a_broker_that_is_away_does_not_lose_the_message(
    send: Send, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("messaging.bells.app.send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        message = send()
    assert fresh(message).state == State.QUEUED


def test_the_text_is_not_readable_in_the_database(send: Send) -> None:
    message = send(text="canary-in-the-coal-mine")
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM messaging_message WHERE id = %s", [message.pk])
        assert "canary" not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("argument", "value", "field"),
    [
        ("text", "", "text"),
        ("text", " \n ", "text"),
        ("text", "\x00", "text"),
        ("text", "ы" * 671, "text"),
        ("phone", "12345", "phone"),
        ("phone", "not a phone", "phone"),
        ("gateway_name", "unheard of", "gateway"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(sandbox: Gateway, argument: str, value: str, field: str) -> None:
    arguments: dict[str, Any] = {"phone": "+79161234567", "text": "x", "gateway_name": sandbox.name} | {argument: value}
    with pytest.raises(Refusal) as refusal:
        sending.send(kind=Kind.INFORMATION, requested_by=None, **arguments)
    assert refusal.value.field == field
    assert not Message.objects.exists()


def test_a_message_may_end_sooner_than_its_kind_and_never_later(sandbox: Gateway) -> None:
    for minutes, ends in ((30, 30), (60 * 24 * 7, 60 * 24)):
        wish = {"phone": PHONE, "text": "Hi", "kind": Kind.INFORMATION, "gateway_name": "", "requested_by": None}
        no_later = clock.now() + timedelta(minutes=minutes)
        message = sending.send(**wish, no_later=no_later, caller_reference="booking 17")  # type: ignore[arg-type]
        assert message.valid_until <= no_later
        assert message.valid_until - message.created <= timedelta(minutes=ends)
        assert fresh(message).caller_reference == "booking 17"


@pytest.mark.parametrize("starts", [None, 60])
def test_one_that_would_be_too_late_at_once_is_refused(sandbox: Gateway, starts: int | None) -> None:
    due_at = clock.now() + timedelta(minutes=starts) if starts else None
    no_later = due_at or clock.now()
    items = [sending.Item(PHONE, "Hi")]
    with pytest.raises(Refusal) as refusal:
        sending.send_many(items, gateway_name="", requested_by=None, due_at=due_at, no_later=no_later)
    assert refusal.value.field == "schedule"
    assert not Message.objects.exists()


def test_a_gateway_that_is_switched_off_takes_nothing_new(send: Send, sandbox: Gateway) -> None:
    Gateway.objects.update(enabled=False)
    with pytest.raises(Refusal, match="off"):
        send()


@pytest.mark.parametrize("state", RESENDABLE)
def test_an_unsuccessful_message_is_sent_again_once(send: Send, state: State) -> None:
    message = send(text="Ваш пароль")
    Message.objects.update(state=state)
    again = sending.resend(message, requested_by=None)
    assert (again.state, fresh(again).text, again.resend_of) == (State.QUEUED, "Ваш пароль", message)
    assert fresh(message).text is None
    with pytest.raises(Refusal) as refusal:
        sending.resend(message, requested_by=None)
    assert refusal.value.why is Why.CONFLICT


@pytest.mark.parametrize("state", sorted(set(State) - set(RESENDABLE)))
def test_a_message_at_no_bad_end_is_not_sent_again(send: Send, state: State) -> None:
    message = send()
    Message.objects.update(state=state)
    with pytest.raises(Refusal) as refusal:
        sending.resend(message, requested_by=None)
    assert refusal.value.why is Why.CONFLICT
    assert Message.objects.count() == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
def test_a_waiting_message_is_taken_back_and_its_text_wiped(send: Send, state: State) -> None:
    message = send()
    Message.objects.update(state=state)
    sending.cancel(fresh(message), by=None)
    assert (fresh(message).state, fresh(message).text) == (State.CANCELLED, None)


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED, State.HELD}))
def test_it_is_too_late_to_take_back_what_a_worker_has(send: Send, state: State) -> None:
    message = send()
    Message.objects.update(state=state)
    with pytest.raises(Refusal) as refusal:
        sending.cancel(fresh(message), by=None)
    assert refusal.value.why is Why.CONFLICT
    assert fresh(message).state == state
