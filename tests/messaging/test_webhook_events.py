"""Events: put on record in the transaction of what happened, for whoever listens, and without a question otherwise."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from gateways.models import Gateway
from gateways.outcomes import InboundSms, Receipt, ReceiptState
from messaging import event_types, inbound, receipts, webhooks
from messaging.models import InboundMessage, Message, State, Taken, WebhookDelivery, WebhookEvent
from messaging.retries import ClearUp
from portal.models import KeptChange
from tests.messaging.conftest import Send, let_time_pass
from tests.messaging.hooks import EVERY_MESSAGE, listen, said, told
from tests.statements import statements

pytestmark = pytest.mark.django_db

CANARY_TEXT, CANARY_PHONE = "canary-Kenar-4711", "+79161112233"


def in_hands(message: Message, state: State = State.SUBMITTING) -> Message:
    """As a worker has it that hands it over."""
    Message.objects.filter(pk=message.pk).update(state=state, due_at=None)
    message.state = state
    return message


def take(message: Message, *, receipts: bool = True) -> bool:
    return message.mark_submitted(Taken("r1"), expects_receipt=receipts, may_ask=False)


CHANGES: dict[str, Callable[[Message], object]] = {
    "message.submitted": take,
    "message.delivered": lambda one: (take(one), one.record_receipt(ReceiptState.DELIVERED)),
    "message.undelivered": lambda one: (take(one), one.record_receipt(ReceiptState.UNDELIVERED, "absent")),
    "message.failed": lambda one: one.fail("no such number"),
    "message.unresolved": lambda one: one.mark_unclear("no answer", ClearUp.PERSON, settle=timedelta()),
}


@pytest.mark.parametrize("name", EVERY_MESSAGE)
def test_a_change_of_a_message_is_told_with_all_that_the_sample_has(send: Send, name: str) -> None:
    listen()
    CHANGES[name](in_hands(send()))
    sample = event_types.named(name)
    assert sample
    body = told()[-1]
    assert set(body) == {"type", "timestamp", "data"}
    assert body["type"] == name
    assert set(body["data"]) == set(sample.sample)
    assert body["data"]["id"] == Message.objects.get().pk
    assert body["data"]["sms_gateway"] == "sandbox"
    assert body["timestamp"].endswith("Z")


def test_a_message_that_expires_at_the_operator_is_told_as_not_delivered(send: Send) -> None:
    listen("message.undelivered")
    message = in_hands(send())
    take(message)
    message.record_receipt(ReceiptState.EXPIRED)
    assert [data["state"] for data in said("message.undelivered")] == ["expired"]


def test_a_provider_that_never_reports_is_told_as_having_taken_it(send: Send) -> None:
    listen()
    take(in_hands(send()), receipts=False)
    assert [(body["type"], body["data"]["state"]) for body in told()] == [("message.submitted", "no_receipt")]


def test_an_unclear_message_that_was_sent_after_all_is_told_as_taken(send: Send) -> None:
    listen()
    message = in_hands(send())
    message.mark_unclear("time ran out", ClearUp.LOOK_UP, settle=timedelta(seconds=30))
    message.record_receipt(ReceiptState.UNCONFIRMED)
    assert [(body["type"], body["data"]["state"]) for body in told()] == [("message.submitted", "no_receipt")]


def test_the_word_that_no_receipt_will_come_is_no_event(send: Send) -> None:
    listen()
    message = in_hands(send())
    take(message)
    message.record_receipt(ReceiptState.UNCONFIRMED)
    assert Message.objects.get().state == State.NO_RECEIPT
    assert [body["data"]["state"] for body in told()] == ["submitted"]


def test_silence_is_no_event(send: Send) -> None:
    message = in_hands(send())
    take(message)
    listen()
    let_time_pass(80 * 3600)
    Message.end_silence(timezone.now())
    assert Message.objects.get().state == State.NO_RECEIPT
    assert told() == []


def test_what_is_too_late_is_told_for_many_at_once(send: Send) -> None:
    listen("message.failed")
    for _ in range(3):
        send()
    let_time_pass(25 * 3600)
    found = statements(lambda: Message.lapse_overdue(timezone.now()))
    assert sorted(data["id"] for data in said("message.failed")) == sorted(Message.objects.values_list("pk", flat=True))
    assert {data["state"] for data in said("message.failed")} == {"lapsed"}
    assert len([sql for sql in found if "INSERT INTO" in sql and "messaging_webhookevent" in sql]) == 1
    assert len([sql for sql in found if "INSERT INTO" in sql and "messaging_webhookdelivery" in sql]) == 1


def test_every_webhook_that_chose_the_event_gets_it_and_no_other(send: Send) -> None:
    first, second = listen("message.submitted"), listen("message.submitted", "message.failed")
    listen("message.failed")
    listen("message.submitted", enabled=False)
    take(in_hands(send()))
    assert WebhookEvent.objects.count() == 1
    assert set(WebhookDelivery.objects.values_list("webhook", flat=True)) == {first.pk, second.pk}


def test_an_event_holds_neither_the_text_nor_the_phone(send: Send) -> None:
    listen()
    message = in_hands(send(phone=CANARY_PHONE, text=CANARY_TEXT))
    message.fail(f"{CANARY_PHONE} is switched off, says 79161112233")
    written = json.dumps(told(), ensure_ascii=False)
    assert "is switched off" in written
    for secret in (CANARY_TEXT, CANARY_PHONE, CANARY_PHONE[1:]):
        assert secret not in written


def test_bodies_are_encrypted_at_rest(send: Send) -> None:
    listen()
    take(in_hands(send()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM messaging_webhookevent")
        assert "message.submitted" not in cursor.fetchone()[0]


def test_an_event_of_what_was_undone_is_undone(send: Send) -> None:
    listen()
    message = in_hands(send())
    with transaction.atomic():
        take(message)
        assert WebhookEvent.objects.count() == 1
        transaction.set_rollback(True)
    assert WebhookEvent.objects.count() == 0


def test_a_worker_that_lost_its_lease_tells_nothing(send: Send) -> None:
    listen()
    message = in_hands(send())
    Message.objects.update(epoch=7)
    take(message)
    message.fail("late")
    assert told() == []


def test_where_nobody_listens_nothing_is_asked_and_nothing_written(send: Send) -> None:
    listen("sms.received")
    messages = [in_hands(send()) for _ in range(3)]
    webhooks.is_heard("message.submitted")
    taken = [(message, Taken(f"r{message.pk}")) for message in messages]

    def work() -> None:
        Message.mark_all_submitted(taken, expects_receipt=True, may_ask=False)
        messages[0].record_receipt(ReceiptState.DELIVERED)

    found = statements(work)
    assert len(found) == 2
    assert all(sql.startswith("UPDATE") for sql in found)


def test_another_process_hears_of_a_webhook_within_a_second(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is when it asks again whether what it knows is true; the database has noted the change by itself."""
    assert not webhooks.is_heard("message.submitted")
    before = KeptChange.objects.count()
    made = webhooks.create(by=None, name="a", url="https://receiver.example.org/", events=["message.submitted"])
    assert KeptChange.objects.count() > before
    assert not webhooks.is_heard("message.submitted")
    monkeypatch.setattr("messaging.models.outbox.UNASKED", 0.0)
    assert webhooks.is_heard("message.submitted")
    webhooks.remove(made.webhook)
    assert not webhooks.is_heard("message.submitted")


def test_what_becomes_of_a_webhook_is_no_reason_to_look_again(db: None) -> None:
    webhook = listen()
    before = KeptChange.objects.count()
    webhook.last_success = webhook.failing_since = timezone.now()
    webhook.save()
    webhooks.rotate(webhook)
    assert KeptChange.objects.count() == before


def test_a_text_from_a_phone_is_told_once_with_all_that_the_sample_has(sandbox: Gateway) -> None:
    listen("sms.received")
    sms = InboundSms("+79161234567", "Где Wi-Fi?", "in-1", timezone.now())
    inbound.store(sandbox, [sms])
    inbound.store(sandbox, [sms])
    (data,) = said("sms.received")
    sample = event_types.named("sms.received")
    assert sample
    assert set(data) == set(sample.sample)
    assert (data["message"], data["phone_number"]) == ("Где Wi-Fi?", "+79161234567")
    assert data["id"] == InboundMessage.objects.get().pk


def test_a_receipt_is_told_in_the_transaction_that_keeps_it(send: Send, sandbox: Gateway) -> None:
    listen("message.delivered")
    message = in_hands(send())
    message.attempts.create(gateway=sandbox, epoch=1, key="k", reference="r1", reference_key="r1")
    take(message)
    with transaction.atomic():
        receipts.record(sandbox, [Receipt("r1", ReceiptState.DELIVERED)])
        transaction.set_rollback(True)
    assert told() == []
    receipts.record(sandbox, [Receipt("r1", ReceiptState.DELIVERED)])
    assert [data["id"] for data in said("message.delivered")] == [message.pk]
