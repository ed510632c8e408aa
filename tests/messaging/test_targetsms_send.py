"""POST /xml/: many texts in one document, each answered by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from gateways.models import Gateway
from messaging import sending
from messaging.dropin.targetsms import asked, fates
from messaging.models import Batch, Door, Message, OptOut, State
from messaging.retries import Kind
from portal import clock, keys, versions
from portal.models import AuditEvent, User
from tests.messaging.programs import a_second_passes_in
from tests.messaging.targetsms import (
    PHONE,
    PLUS_PHONE,
    SEND,
    Element,
    as_attributes,
    as_texts,
    attributes,
    error_in,
    message,
    message_of,
    post,
    read,
    send,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]

ONE = f'phone="{PHONE}" number_sms="1"'


def said(item: Element) -> tuple[str | None, str | None]:
    """Which item it is about, and its words."""
    return item.get("number_sms"), item.text


def local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def test_one_text_becomes_one_message(operator: User, sandbox: Gateway) -> None:
    (item,) = send(ONE, text="Привет")
    stored = Message.objects.get()
    assert item.tag == "information"
    assert attributes(item) == {"number_sms": "1", "id_sms": str(stored.pk), "parts": "1"}
    assert item.text == "send"
    assert (stored.phone, stored.text, stored.gateway, stored.batch) == (PLUS_PHONE, "Привет", sandbox, None)
    assert (stored.kind, stored.door, stored.requested_by) == (Kind.INFORMATION, Door.TARGETSMS, operator)


def test_several_messages_with_several_phones_are_answered_in_their_order() -> None:
    first = message(*(f'phone="7916123456{last}" number_sms="{last}"' for last in range(5)), text="ы" * 80)
    second = message(*(f'phone="7916123456{last}" number_sms="1{last}"' for last in range(5)), text="Hi")
    items = list(read(post(SEND, first + second)))
    assert [said(item) for item in items] == [(str(n), "send") for n in (*range(5), *range(10, 15))]
    for place, item in enumerate(items):
        stored = message_of(item)
        assert stored.phone == f"+7916123456{place % 5}"
        assert stored.text == ("ы" * 80 if place < 5 else "Hi")
        assert item.get("parts") == ("2" if place < 5 else "1")
    assert Message.objects.count() == 10


def test_the_same_phone_twice_gets_two_messages() -> None:
    items = send(ONE, ONE)
    assert len({item.get("id_sms") for item in items}) == 2
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("abonent", "words"),
    [
        ("", "Укажите номер телефона."),
        ('phone=""', "Укажите номер телефона."),
        ('phone="12"', "Укажите номер телефона."),
        ('phone="abc"', "Укажите номер телефона."),
        ('phone="9161234567890123"', "Номер телефона должен быть меньше 15 символов."),
        (f'phone="{PHONE}" client_id_sms="6ba7b810"', "client_id_sms должен быть целым числом."),
        (f'phone="{PHONE}" client_id_sms="-1"', "client_id_sms должен быть целым числом."),
        (f'phone="{PHONE}" client_id_sms="{"9" * 19}"', "client_id_sms должен быть целым числом."),
        (f'phone="{PHONE}" time_send="tomorrow"', "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."),
        (f'phone="{PHONE}" time_send="2026-02-30 10:00"', "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."),
        (f'phone="{PHONE}" time_send="2099-01-01 10:00"', "Сообщение можно отложить не более чем на 30 дней."),
        (f'phone="{PHONE}" validity_period="10:00"', "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."),
        (f'phone="{PHONE}" validity_period="2020-01-01 10:00"', "Срок доставки сообщения закончился бы до отправки."),
    ],
)
def test_what_is_wrong_with_one_is_told_and_stops_no_other(abonent: str, words: str) -> None:
    wrong, good = send(f'{abonent} number_sms="1"', f'phone="{PHONE}" number_sms="2"')
    assert attributes(wrong) == {"number_sms": "1"}
    assert wrong.text == words
    assert said(good) == ("2", "send")
    assert Message.objects.get().phone == PLUS_PHONE


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "Нет текста сообщения."), ("  ", "Нет текста сообщения."), ("ы" * 3000, "Текст сообщения слишком длинный.")],
)
def test_a_text_that_cannot_be_sent_is_told_for_each_phone(text: str, words: str) -> None:
    assert [said(item) for item in send(ONE, ONE, text=text)] == [("1", words)] * 2
    assert not Message.objects.exists()
    assert not Batch.objects.exists()


def test_a_call_of_which_nothing_was_accepted_is_on_record_as_refused() -> None:
    send('phone="12"')
    assert AuditEvent.objects.get(action="targetsms.send").status == 422


def test_other_kinds_of_messages_are_refused() -> None:
    content = message(ONE).replace('type="sms"', 'type="viber"')
    assert [said(item) for item in read(post(SEND, content))] == [("1", "Данное направление закрыто для вас.")]


@pytest.mark.parametrize(("written", "text"), [(r"one\ntwo", "one\ntwo"), ("one\ntwo", "one\ntwo"), ("a&lt;b", "a<b")])
def test_two_characters_stand_for_a_line_break(written: str, text: str) -> None:
    send(ONE, text=written)
    assert Message.objects.get().text == text


def test_a_phone_that_opted_out_is_told_as_documented_and_gets_nothing() -> None:
    OptOut.objects.create(phone=PLUS_PHONE)
    for items in (send(ONE), send(ONE, 'phone="79161234568" number_sms="2"')):
        assert said(items[0]) == ("1", "Номер телефона присутствует в стоп-листе.")
        assert items[0].get("id_sms") is None
    assert set(Message.objects.filter(phone=PLUS_PHONE).values_list("state", flat=True)) == {State.SUPPRESSED}


def test_a_name_makes_a_batch() -> None:
    send(ONE, more="<name_delivery>Опрос гостей</name_delivery>")
    assert Message.objects.get().batch == Batch.objects.get(name="Опрос гостей", total=1)


def test_several_without_a_name_are_a_batch_with_the_documented_one() -> None:
    send(ONE, ONE)
    assert Batch.objects.get().name == "Шлюз"
    assert AuditEvent.objects.get(action="targetsms.send").object_id == f"batch {Batch.objects.get().pk}"


def test_a_time_is_read_in_the_zone_of_the_portal() -> None:
    at = clock.now() + timedelta(days=2)
    (item,) = send(f'{ONE} time_send="{local(at)}"')
    assert said(item) == ("1", "send")
    stored = Message.objects.get()
    assert stored.due_at == at.replace(second=0, microsecond=0)
    assert stored.waits_for == "schedule"


def test_a_time_that_is_over_means_at_once() -> None:
    send(f'{ONE} time_send="2020-01-01 10:00"')
    assert Message.objects.get().waits_for == ""


@pytest.mark.parametrize("abonents", [(ONE,), (ONE, ONE)])
def test_so_does_one_that_passes_while_the_call_is_looked_at(
    abonents: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 22, 12, 33, 59, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as time:
        a_second_passes_in(sending, "look_at", time, monkeypatch)
        due = local(now + timedelta(seconds=1))
        assert [item.text for item in send(*(f'{one} time_send="{due}"' for one in abonents))] == ["send"] * len(
            abonents
        )
    assert {one.waits_for for one in Message.objects.all()} == {""}


def test_a_message_is_not_sent_after_its_validity() -> None:
    ends = clock.now() + timedelta(hours=2)
    send(f'{ONE} validity_period="{local(ends)}"')
    assert Message.objects.get().valid_until == ends.replace(second=0, microsecond=0)


def test_different_times_go_by_their_own() -> None:
    later = clock.now() + timedelta(days=1)
    items = send(ONE, f'phone="79161234568" number_sms="2" time_send="{local(later)}"')
    first, second = (message_of(item) for item in items)
    assert (first.waits_for, second.waits_for) == ("", "schedule")


def test_there_is_an_end_to_how_much_may_differ_in_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fates, "MOST_LOTS", 2)
    assert len(send(ONE) + send(ONE)) == 2
    content = "".join(message(ONE, sender=f"sender {number}") for number in range(3))
    assert "не более 2 сочетаний" in error_in(post(SEND, content))
    assert Message.objects.count() == 2


def test_there_is_an_end_to_how_many_one_document_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST", 2)
    assert len(send(ONE, ONE)) == 2
    # No phone is looked at then, which takes its time.
    monkeypatch.setattr(asked, "phone_of", None)
    assert "не более 2 сообщений" in error_in(post(SEND, message(ONE, ONE, ONE)))
    assert Message.objects.count() == 2


def test_thousands_are_accepted_in_one_document() -> None:
    abonents = [f'phone="79{number:09d}" client_id_sms="{number}"' for number in range(160_000_000, 160_003_000)]
    items = send(*abonents)
    assert {item.text for item in items} == {"send"}
    assert len({item.get("id_sms") for item in items}) == Message.objects.count() == 3000
    assert message_of(items[1234]).caller_reference == "160001234"


def test_the_sender_names_a_gateway_or_is_that_of_one(sandbox: Gateway) -> None:
    hotel = Gateway.objects.create(name="hotel", provider="smsgate", sender="Hotel")
    for sender, gateway in (("hotel", hotel), ("Hotel", hotel), ("unheard of", sandbox), ("", sandbox)):
        (item,) = send(ONE, sender=sender)
        assert message_of(item).gateway == gateway


def test_a_gateway_whose_prefixes_leave_a_phone_out_is_closed_to_it() -> None:
    Gateway.objects.update(prefixes=["+49"])
    items = send(ONE, 'phone="491701234567" number_sms="2"')
    assert [said(item) for item in items] == [("1", "Данное направление закрыто для вас."), ("2", "send")]
    assert [said(item) for item in send(ONE)] == [("1", "Данное направление закрыто для вас.")]


def test_a_gateway_that_makes_codes_sends_no_texts() -> None:
    Gateway.objects.create(name="codes", provider="targetsms_codes")
    assert [said(item) for item in send(ONE, sender="codes")] == [("1", "Данное направление закрыто для вас.")]
    items = send(ONE, ONE, sender="codes")
    assert [said(item) for item in items] == [("1", "Данное направление закрыто для вас.")] * 2


def test_a_switched_off_default_gateway_refuses_each() -> None:
    Gateway.objects.update(enabled=False)
    assert [said(item) for item in send(ONE)] == [("1", "Данное направление закрыто для вас.")]


def test_a_key_uses_the_gateways_it_is_for(operator: User, sandbox: Gateway) -> None:
    hotel = Gateway.objects.create(name="hotel", provider="smsgate")
    key = keys.issue(operator, "site")[1]
    operator.api_keys.update(gateways=[hotel.pk])
    versions.forget()
    security = as_attributes("operator", key)
    (named,) = read(post(SEND, message(ONE, sender="hotel"), security))
    (other,) = read(post(SEND, message(ONE, sender="sandbox"), security))
    assert named.text == "send"
    assert other.text == "Данное направление закрыто для вас."


# Who may


@pytest.mark.parametrize("security", [as_texts, as_attributes])
def test_login_and_password_are_texts_or_attributes(security: Any) -> None:
    (item,) = read(post(SEND, message(ONE), security()))
    assert item.text == "send"
    assert error_in(post(SEND, message(ONE), security("operator", "wrong"))) == "Неправильный логин или пароль"


def test_whoever_may_not_send_is_told_the_documented_error(nobody: User) -> None:
    assert error_in(post(SEND, message(ONE), as_texts("nobody"))) == "Ваш аккаунт заблокирован"
    assert not Message.objects.exists()


def test_the_audit_trail_has_what_was_asked_and_no_text(operator: User) -> None:
    send(ONE, text="canary")
    event = AuditEvent.objects.get(action="targetsms.send")
    assert (event.status, event.user, event.object_id) == (200, operator, str(Message.objects.get().pk))
    assert event.request == {"sms": 1, "phones": ["+7916•••••67"]}


def test_without_an_sms_it_is_no_document_of_this_call() -> None:
    for content in ("", "<message/>", "<message><text>Hi</text></message>"):
        assert error_in(post(SEND, content)) == "Неправильный формат XML документа"
