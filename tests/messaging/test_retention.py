"""Messages whose time is over: who got them can no longer be told, and how many there were still can."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from gateways.outcomes import Outcome, ReceiptState
from messaging import opt_outs, retention
from messaging.models import Attempt, DeliveryEvent, InboundMessage, Message, State
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
    old = age(send(PHONE), 184)
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
    message = age(send(PHONE), 182)
    assert retention.anonymise_messages() == 0
    assert fresh(message).phone == PHONE
    settings.MESSAGE_RETENTION_DAYS = 181
    assert retention.anonymise_messages() == 1


def test_one_that_has_not_ended_is_not_touched_and_holds_up_what_came_later(send: Send) -> None:
    first, second, third = (age(send(PHONE), 184) for _number in range(3))
    Message.objects.filter(pk=second.pk).update(state=State.HELD)
    assert retention.anonymise_messages() == 1
    assert [fresh(one).phone == PHONE for one in (first, second, third)] == [False, True, True]
    Message.objects.filter(pk=second.pk).update(state=State.LAPSED)
    assert retention.anonymise_messages() == 2


def test_what_was_done_costs_nothing(send: Send, django_assert_num_queries: object) -> None:
    for _number in range(3):
        age(send(PHONE), 184)
    retention.anonymise_messages()
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert retention.anonymise_messages() == 0


def test_some_in_each_turn(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SOME", 2)
    for _number in range(3):
        age(send(PHONE), 184)
    assert [retention.anonymise_messages() for _turn in range(3)] == [2, 1, 0]


def test_done_twice_it_is_the_same(send: Send) -> None:
    message = age(send(PHONE), 184)
    retention.anonymise_messages()
    once = fresh(message).phone
    LastRun.objects.all().delete()
    retention.anonymise_messages()
    assert fresh(message).phone == once


def test_what_people_wrote_goes_and_their_wish_stays(sandbox: Gateway) -> None:
    then = timezone.now() - timedelta(days=184)
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
    DeliveryEvent.objects.update(received_at=timezone.now() - timedelta(days=184))
    assert retention.anonymise_events() == 1
    event.refresh_from_db()
    assert (event.reference, event.detail) == ("7", "")
