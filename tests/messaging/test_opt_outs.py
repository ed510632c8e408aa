"""STOP and START: who gets no information, and that codes and credentials go out all the same."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from gateways.outcomes import InboundSms
from messaging import claiming, inbound, opt_outs, sending
from messaging.models import InboundMessage, Message, OptOut, State, Word
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import Send, fresh

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"
NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", Word.STOP),
        ("stop", Word.STOP),
        (" Stop.\n", Word.STOP),
        ("«СТОП»!", Word.STOP),
        ('"стоп"', Word.STOP),
        ("стоп всё", Word.STOP),
        ("STOPALL", Word.STOP),
        ("stop-all", Word.STOP),
        ("ＳＴＯＰ", Word.STOP),
        ("stop 🙏", Word.STOP),
        ("Unsubscribe", Word.STOP),
        ("cancel", Word.STOP),
        ("END", Word.STOP),
        ("quit", Word.STOP),
        ("Отписка", Word.STOP),
        ("отписаться", Word.STOP),
        ("ОТКАЗ", Word.STOP),
        ("START", Word.START),
        ("unstop", Word.START),
        ("Старт", Word.START),
        ("подписка", Word.START),
        ("нет", Word.NONE),
        ("no", Word.NONE),
        ("да", Word.NONE),
        ("stop it please", Word.NONE),
        ("не останавливайте", Word.NONE),
        ("не стоп", Word.NONE),
        ("nonstop", Word.NONE),
        ("stopstart", Word.NONE),
        ("", Word.NONE),
        ("!!!", Word.NONE),
        ("\x00", Word.NONE),
    ],
)
def test_only_a_whole_text_is_a_word(text: str, word: Word) -> None:
    assert opt_outs.word_of(text) == word


def test_no_word_means_both() -> None:
    assert not opt_outs.STOP_WORDS & opt_outs.START_WORDS


@pytest.mark.parametrize("word", sorted(opt_outs.STOP_WORDS | opt_outs.START_WORDS))
def test_every_word_of_the_lists_is_found_however_it_is_written(word: str) -> None:
    expected = Word.STOP if word in opt_outs.STOP_WORDS else Word.START
    assert {opt_outs.word_of(text) for text in (word, word.upper(), f"«{word.title()}!»")} == {expected}


def says(gateway: Gateway, text: str, minute: int = 0, phone: str = PHONE) -> None:
    inbound.store(gateway, [InboundSms(phone, text, f"{text} {minute}", NOON + timedelta(minutes=minute))])


def test_stop_puts_a_phone_on_the_list_and_start_takes_it_off(sandbox: Gateway) -> None:
    says(sandbox, "СТОП", 1)
    found = OptOut.objects.get()
    assert (found.phone, found.since, found.inbound) == (
        PHONE,
        NOON + timedelta(minutes=1),
        InboundMessage.objects.get(),
    )
    says(sandbox, "START", 2)
    assert not OptOut.objects.exists()
    assert list(InboundMessage.objects.order_by("id").values_list("opted", flat=True)) == ["stop", "start"]


def test_a_second_stop_changes_nothing(sandbox: Gateway) -> None:
    says(sandbox, "stop", 1)
    says(sandbox, "СТОП", 2)
    assert OptOut.objects.get().since == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("order", list(permutations([("stop", 1), ("start", 2), ("СТОП", 3)])))
def test_the_latest_word_holds_in_whatever_order_they_come(
    sandbox: Gateway, order: tuple[tuple[str, int], ...]
) -> None:
    for text, minute in order:
        says(sandbox, text, minute)
    assert OptOut.objects.filter(phone=PHONE).exists()


def test_words_that_come_together_are_obeyed_by_their_time(sandbox: Gateway) -> None:
    later, earlier = (
        InboundSms(PHONE, text, text, NOON + timedelta(minutes=n)) for text, n in (("start", 2), ("stop", 1))
    )
    inbound.store(sandbox, [later, earlier])
    assert not OptOut.objects.exists()


def test_words_without_a_time_are_obeyed_as_they_came(sandbox: Gateway) -> None:
    inbound.store(sandbox, [InboundSms(PHONE, "stop", "2"), InboundSms(PHONE, "start", "1")])
    assert not OptOut.objects.exists()
    inbound.store(sandbox, [InboundSms(PHONE, "start", "8"), InboundSms(PHONE, "stop", "7")])
    assert OptOut.objects.exists()


def test_an_old_stop_that_is_brought_again_does_not_undo_a_decision_of_staff(sandbox: Gateway) -> None:
    says(sandbox, "stop")
    opt_outs.opt_in(PHONE)
    says(sandbox, "stop")
    assert not OptOut.objects.exists()


def test_one_phone_does_not_speak_for_another(sandbox: Gateway) -> None:
    says(sandbox, "stop", 1, phone="+79160000000")
    says(sandbox, "start", 2, phone="+79161111111")
    assert [found.phone for found in OptOut.objects.all()] == ["+79160000000"]


@pytest.mark.parametrize("phone", ["900", "MegaFon"])
def test_what_is_no_phone_cannot_opt_out(sandbox: Gateway, phone: str) -> None:
    says(sandbox, "stop", phone=phone)
    assert not OptOut.objects.exists()
    assert InboundMessage.objects.get().opted == ""


def test_an_ordinary_text_changes_nothing(sandbox: Gateway) -> None:
    says(sandbox, "Where is the stop button?")
    assert not OptOut.objects.exists()


def test_information_for_a_phone_that_opted_out_is_on_record_and_suppressed(
    send: Send, bells: list[Any], django_capture_on_commit_callbacks: Any, sandbox: Gateway
) -> None:
    opt_outs.opt_out(PHONE)
    with django_capture_on_commit_callbacks(execute=True):
        message = fresh(send(phone="8 916 123-45-67", text="canary"))
    assert (message.state, message.reason) == (State.SUPPRESSED, "the phone asked for no more messages (STOP)")
    assert (message.text, message.shown_text, message.due_at, message.ask_at) == (None, None, None, None)
    assert message.finished_at == message.created
    assert bells == []
    assert claiming.gateways_with_due() == []


@pytest.mark.parametrize("kind", [Kind.CREDENTIALS, Kind.CODE])
def test_what_a_guest_asked_for_goes_out_all_the_same(
    send: Send, kind: Kind, bells: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    opt_outs.opt_out(PHONE)
    with django_capture_on_commit_callbacks(execute=True):
        assert fresh(send(kind=kind)).state == State.QUEUED
    assert len(bells) == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
def test_stop_reaches_information_that_still_waits(send: Send, sandbox: Gateway, state: State) -> None:
    waiting, code, other = send(phone=PHONE), send(phone=PHONE, kind=Kind.CODE), send(phone="+79160000000")
    Message.objects.update(state=state)
    says(sandbox, "STOP")
    stopped = fresh(waiting)
    assert (stopped.state, stopped.reason, stopped.text) == (State.SUPPRESSED, opt_outs.REASON, None)
    assert stopped.finished_at
    assert (fresh(code).state, fresh(other).state) == (state, state)


def test_stop_holds_for_what_was_in_a_worker_s_hands_and_came_back(send: Send, sandbox: Gateway) -> None:
    message, code = send(), send(kind=Kind.CODE)
    other = send(phone="+79161234568")
    (held,) = [one for one in claiming.claim(sandbox)[0] if one.pk == message.pk]
    opt_outs.opt_out(message.phone)
    assert fresh(message).state == State.CLAIMED
    Message.objects.exclude(pk=held.pk).update(state=State.QUEUED, due_at=timezone.now(), lease_until=None)
    held.try_at_once("the line was dead")
    claimed, _wait = claiming.claim(sandbox)
    assert {one.pk for one in claimed} == {code.pk, other.pk}
    found = fresh(message)
    assert (found.state, found.text, found.reason) == (State.SUPPRESSED, None, opt_outs.REASON)


def test_staff_who_add_a_phone_reach_it_too(send: Send, admin: User) -> None:
    waiting = send(phone=PHONE)
    opt_outs.add(PHONE, added_by=admin)
    assert fresh(waiting).state == State.SUPPRESSED


def test_what_may_have_been_sent_is_not_called_suppressed(send: Send, sandbox: Gateway) -> None:
    unclear = send(phone=PHONE)
    Message.objects.update(state=State.UNKNOWN, unclear=1)
    says(sandbox, "STOP")
    assert fresh(unclear).state == State.UNKNOWN


def test_other_phones_are_not_touched(send: Send) -> None:
    opt_outs.opt_out("+79160000000")
    assert send().state == State.QUEUED


def test_after_start_information_goes_out_again(send: Send) -> None:
    opt_outs.opt_out(PHONE)
    opt_outs.opt_in(PHONE)
    assert send().state == State.QUEUED


def test_a_message_sent_again_is_suppressed_too(send: Send) -> None:
    message = send()
    Message.objects.update(state=State.FAILED)
    opt_outs.opt_out(PHONE)
    again = sending.resend(message, requested_by=None)
    assert (fresh(again).state, fresh(again).resend_of) == (State.SUPPRESSED, message)


def test_a_suppressed_message_can_be_neither_cancelled_nor_sent_again(send: Send) -> None:
    opt_outs.opt_out(PHONE)
    message = send()
    with pytest.raises(Refusal) as cancelled:
        sending.cancel(message, by=None)
    with pytest.raises(Refusal) as repeated:
        sending.resend(message, requested_by=None)
    assert (cancelled.value.why, repeated.value.why) == (Why.CONFLICT, Why.CONFLICT)


def test_the_api_says_that_it_was_suppressed_and_why(api: Api, operator: User, sandbox: Gateway) -> None:
    opt_outs.opt_out(PHONE)
    answer = api(operator).post(
        "/api/v1/sms_gateways/send_sms",
        {"sms_gateway": "sandbox", "phone_number": PHONE, "message": "Wi-Fi is back", "wait": 5},
        format="json",
    )
    assert answer.status_code == 200
    item = answer.json()["item"]
    assert (item["state"], item["reason"]) == ("suppressed", opt_outs.REASON)
    assert answer.json()["message"] == f"Message {item['id']} suppressed: {opt_outs.REASON}"


def test_staff_add_a_phone_in_any_spelling_and_once(admin: User) -> None:
    row = opt_outs.add("8 (916) 123-45-67", added_by=admin, note=" by phone ")
    assert (row.phone, row.added_by, row.note, row.inbound) == (PHONE, admin, "by phone", None)
    with pytest.raises(Refusal) as refused:
        opt_outs.add(PHONE, added_by=None)
    assert (refused.value.why, refused.value.field) == (Why.CONFLICT, "phone")


def test_what_is_no_phone_is_not_added(db: None) -> None:
    with pytest.raises(Refusal) as refused:
        opt_outs.add("900", added_by=None)
    assert refused.value.field == "phone"
