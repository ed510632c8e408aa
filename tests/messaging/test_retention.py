"""Messages whose time is over: who got them can no longer be told, and how many there were still can."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from gateways.outcomes import Outcome, ReceiptState
from messaging import opt_outs, recovery, retention, sending
from messaging.models import Attempt, Batch, DeliveryEvent, InboundMessage, Message, State
from messaging.models import message as message_module
from portal import portions
from portal.models import LastRun
from tests.messaging.conftest import Send, fresh

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"


def age(message: Message, days: float, state: State = State.DELIVERED) -> Message:
    then = timezone.now() - timedelta(days=days)
    Message.objects.filter(pk=message.pk).update(
        created=then, state=state, due_at=None, recipient_label="bob", reason="no +79161234567", masked_text="Bob"
    )
    return message


def test_after_the_days_a_message_names_nobody(send: Send, sandbox: Gateway) -> None:
    old = age(send(PHONE), 181)
    exchange = {"body": PHONE}
    Attempt.objects.create(
        message=old, gateway=sandbox, epoch=1, key="k", outcome=Outcome.REFUSED, detail=PHONE, exchange=exchange
    )
    assert retention.anonymise_messages() == 1
    row = fresh(old)
    assert (row.phone, row.phone_tail) == ("+7916*******", "****")
    assert (row.recipient_label, row.text, row.masked_text, row.reason) == ("", None, "", "")
    assert (row.state, row.gateway, row.segments) == (State.DELIVERED, sandbox, old.segments)
    attempt = Attempt.objects.get()
    assert (attempt.detail, attempt.exchange, attempt.outcome) == ("", {}, Outcome.REFUSED)


def test_before_that_it_stays_as_it_is(send: Send, settings: Settings) -> None:
    message = age(send(PHONE), 179)
    assert retention.anonymise_messages() == 0
    assert fresh(message).phone == PHONE
    settings.MESSAGE_RETENTION_DAYS = 178
    assert retention.anonymise_messages() == 1


def test_nor_does_a_batch_name_those_it_refused(sandbox: Gateway) -> None:
    faulty = sending.Faulty("items", "Unknown field.", "booking 19", unknown="Bob")
    items: list[sending.Item | sending.Faulty]
    items = [sending.Item(PHONE, "x", "booking 17"), sending.Item("12", "x", "booking 18"), faulty]
    old, new = (sending.send_many(items, gateway_name="", requested_by=None) for _number in range(2))
    old_message, _message = old.messages.get(), new.messages.get()
    age(old_message, 181)
    Batch.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=181))
    assert (retention.anonymise_messages(), retention.anonymise_batches()) == (1, 1)
    assert fresh(old_message).caller_reference is None
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.refused == [
        {"place": 2, "reference": "", "field": "phone", "message": ""},
        {"place": 3, "reference": "", "field": "items", "message": ""},
    ]
    assert [one["reference"] for one in new.refused] == ["booking 18", "booking 19"]
    assert retention.anonymise_batches() == 0


def test_one_that_has_not_ended_is_not_touched_and_holds_up_what_came_later(send: Send) -> None:
    first, second, third = (age(send(PHONE), 181) for _number in range(3))
    Message.objects.filter(pk=second.pk).update(state=State.HELD)
    assert retention.anonymise_messages() == 1
    assert [fresh(one).phone == PHONE for one in (first, second, third)] == [False, True, True]
    Message.objects.filter(pk=second.pk).update(state=State.LAPSED)
    assert retention.anonymise_messages() == 2


def test_what_was_done_costs_nothing(send: Send, django_assert_num_queries: object) -> None:
    for _number in range(3):
        age(send(PHONE), 181)
    retention.anonymise_messages()
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert retention.anonymise_messages() == 0


def test_many_go_in_small_transactions(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SOME", 2)
    for _number in range(5):
        age(send(PHONE), 181)
    with CaptureQueriesContext(connection) as made:
        assert retention.anonymise_messages() == 5
    begun = [one for one in made if one["sql"].startswith("SAVEPOINT")]
    changed = [one for one in made if one["sql"].startswith('UPDATE "messaging_message"')]
    assert len(begun) >= len(changed) == 3


def test_a_turn_ends_when_its_time_is_over(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SOME", 2)
    monkeypatch.setattr(portions, "LONGEST", 0.0)
    for _number in range(3):
        age(send(PHONE), 181)
    assert [retention.anonymise_messages() for _turn in range(3)] == [2, 1, 0]


def test_texts_of_a_long_absence_are_wiped_in_small_transactions(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SOME", 2)
    for _number in range(5):
        age(send(PHONE), 2, State.UNDELIVERED)
    Message.objects.update(valid_until=timezone.now() - timedelta(days=1))
    with CaptureQueriesContext(connection) as made:
        recovery.wipe_texts(timezone.now())
    assert not Message.objects.filter(text__isnull=False).exists()
    assert len([one for one in made if one["sql"].startswith("UPDATE")]) == 3


def test_so_is_the_silence_of_a_provider(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_module, "SOME", 2)
    for _number in range(5):
        age(send(PHONE), 4, State.SUBMITTED)
    Message.objects.update(submitted_at=timezone.now() - timedelta(days=4))
    with CaptureQueriesContext(connection) as made:
        Message.end_silence(timezone.now() - timedelta(days=3))
    assert set(Message.objects.values_list("state", flat=True)) == {State.NO_RECEIPT}
    assert len([one for one in made if one["sql"].startswith("UPDATE")]) == 3


def test_done_twice_it_is_the_same(send: Send) -> None:
    message = age(send(PHONE), 181)
    retention.anonymise_messages()
    once = fresh(message).phone
    LastRun.objects.all().delete()
    retention.anonymise_messages()
    assert fresh(message).phone == once


def test_what_people_wrote_goes_and_their_wish_stays(sandbox: Gateway) -> None:
    then = timezone.now() - timedelta(days=181)
    wish = InboundMessage.objects.create(
        gateway=sandbox, phone=PHONE, text="STOP, says Bob", fingerprint="1", opted="stop", received_at=then
    )
    opt_outs.opt_out(PHONE, wish)
    InboundMessage.objects.create(gateway=sandbox, phone=PHONE, text="hello", fingerprint="2")
    assert retention.anonymise_inbound() == 1
    wish.refresh_from_db()
    assert (wish.phone, wish.text) == ("+7916*******", "")
    assert InboundMessage.objects.get(fingerprint="2").text == "hello"
    assert opt_outs.has_opted_out(PHONE)


def test_so_do_the_words_of_providers(sandbox: Gateway) -> None:
    event = DeliveryEvent.objects.create(
        gateway=sandbox, reference="7", state=ReceiptState.UNDELIVERED, detail=f"{PHONE} is off"
    )
    assert retention.anonymise_events() == 0
    DeliveryEvent.objects.update(received_at=timezone.now() - timedelta(days=181))
    assert retention.anonymise_events() == 1
    event.refresh_from_db()
    assert (event.reference, event.detail) == ("7", "")
