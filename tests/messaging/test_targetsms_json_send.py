"""POST /sendsmsjson.php with `type` sms: as by `/xml/`, in the platform's JSON."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from messaging import sending
from messaging.dropin.targetsms import asked
from messaging.models import Batch, Door, Message, OptOut
from messaging.retries import Kind
from portal import clock, keys
from portal.models import AuditEvent, User
from tests.gateways.conftest import at_once
from tests.messaging.targetsms import (
    PHONE,
    PLUS_PHONE,
    json_error_in,
    json_message,
    post_json,
    post_json_raw,
    read_json,
    send,
    send_json,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]

ONE = {"phone": PHONE, "number_sms": "1"}
#: The platform's JSON API, «Отправка SMS», with what it leaves to be filled in.
AS_PRINTED = [
    {
        "type": "sms",
        "sender": "Отправитель 1",
        "text": "Текст сообщения 1",
        "name_delivery": "Рассылка 1",
        "translite": "1",
        "abonent": [
            {"phone": "79033256699", "number_sms": "1", "client_id_sms": "100", "time_send": "2016-11-09 12:40"},
            {"phone": "79033256699", "number_sms": "2", "client_id_sms": "101"},
        ],
    },
    {
        "type": "sms",
        "sender": "Отправитель 2",
        "text": "Текст сообщения 2",
        "name_delivery": "Рассылка 2",
        "abonent": [
            {"phone": "79033256699", "number_sms": "1", "client_id_sms": "111"},
            {"phone": "79033256699", "number_sms": "2", "client_id_sms": "112"},
        ],
    },
]


def test_one_text_becomes_one_message(operator: User, sandbox: Gateway) -> None:
    (item,) = send_json(ONE, text="Привет\n😀")
    stored = Message.objects.get()
    assert item == {"number_sms": "1", "id_sms": str(stored.pk), "parts": "1", "action": "send"}
    assert (stored.phone, stored.text, stored.gateway, stored.batch) == (PLUS_PHONE, "Привет\n😀", sandbox, None)
    assert (stored.kind, stored.door, stored.requested_by) == (Kind.INFORMATION, Door.TARGETSMS, operator)


def test_as_printed_and_made_again_it_is_sent_once() -> None:
    first = read_json(post_json("sms", message=AS_PRINTED))["sms"]
    assert [(one["number_sms"], one["action"]) for one in first] == [("1", "send"), ("2", "send")] * 2
    assert read_json(post_json("sms", message=AS_PRINTED))["sms"] == first
    assert set(Message.objects.values_list("caller_reference", flat=True)) == {"100", "101", "111", "112"}
    assert sorted(Batch.objects.values_list("name", flat=True)) == ["Рассылка 1", "Рассылка 2"]


@pytest.mark.parametrize(
    ("abonent", "words"),
    [
        ({}, "Укажите номер телефона."),
        ({"phone": None}, "Укажите номер телефона."),
        ({"phone": 12}, "Укажите номер телефона."),
        ({"phone": "9161234567890123"}, "Номер телефона должен быть меньше 15 символов."),
        ({"phone": PHONE, "client_id_sms": "6ba7b810"}, "client_id_sms должен быть целым числом."),
        ({"phone": PHONE, "client_id_sms": -1}, "client_id_sms должен быть целым числом."),
        ({"phone": PHONE, "time_send": "tomorrow"}, "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."),
        ({"phone": PHONE, "time_send": "2099-01-01 10:00"}, "Сообщение можно отложить не более чем на 30 дней."),
        ({"phone": PHONE, "validity_period": "2020-01-01 10:00"}, "Срок доставки сообщения закончился бы до отправки."),
    ],
)
def test_what_is_wrong_with_one_is_told_and_stops_no_other(abonent: dict[str, Any], words: str) -> None:
    wrong, good = send_json({**abonent, "number_sms": "1"}, {"phone": PHONE, "number_sms": "2"})
    assert wrong == {"number_sms": "1", "action": words, "error": words}
    assert "error" not in good
    assert (good["number_sms"], good["action"]) == ("2", "send")
    assert Message.objects.get().phone == PLUS_PHONE


def test_numbers_may_be_numbers_and_what_is_not_there_is_not_echoed() -> None:
    first, second = send_json({"phone": int(PHONE), "number_sms": 0, "client_id_sms": 7}, {"phone": PHONE})
    assert (first["number_sms"], first["action"]) == ("0", "send")
    assert list(second) == ["id_sms", "parts", "action"]
    assert Message.objects.get(caller_reference="7").phone == PLUS_PHONE


@pytest.mark.parametrize("more", [{"text": ""}, {"text": None}, {"text": "  "}])
def test_a_text_that_is_none_is_told_for_each_phone(more: dict[str, Any]) -> None:
    assert [item["action"] for item in send_json(ONE, ONE, **more)] == ["Нет текста сообщения."] * 2
    assert AuditEvent.objects.get(action="targetsms.json").status == 422


def test_other_kinds_of_messages_are_refused() -> None:
    closed = "Данное направление закрыто для вас."
    assert send_json(ONE, type="viber") == [{"number_sms": "1", "action": closed, "error": closed}]


def test_two_characters_stay_two_characters() -> None:
    """JSON has line breaks of its own; an XML document has not."""
    send_json(ONE, text=r"C:\new")
    assert Message.objects.get().text == r"C:\new"


def test_a_phone_that_opted_out_is_told_as_documented() -> None:
    OptOut.objects.create(phone=PLUS_PHONE)
    stopped = "Номер телефона присутствует в стоп-листе."
    assert send_json(ONE) == [{"number_sms": "1", "action": stopped, "error": stopped}]


def test_a_later_time_and_a_validity_are_kept() -> None:
    due, ends = (f"{timezone.localtime(clock.now() + timedelta(hours=hours)):%Y-%m-%d %H:%M}" for hours in (2, 3))
    send_json({**ONE, "time_send": due, "validity_period": ends})
    stored = Message.objects.get()
    assert f"{timezone.localtime(stored.due_at):%Y-%m-%d %H:%M}" == due
    assert f"{timezone.localtime(stored.valid_until):%Y-%m-%d %H:%M}" == ends
    assert stored.waits_for == "schedule"


def test_there_is_an_end_to_how_many_one_call_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST", 2)
    assert len(send_json(ONE, ONE)) == 2
    # No phone is looked at then, which takes its time.
    monkeypatch.setattr(asked, "phone_of", None)
    assert "не более 2 сообщений" in json_error_in(post_json("sms", message=[json_message(ONE, ONE, ONE)]))
    assert Message.objects.count() == 2


def test_thousands_are_accepted_in_one_call() -> None:
    items = send_json(*({"phone": f"79{number:09d}"} for number in range(160_000_000, 160_003_000)))
    assert {item["action"] for item in items} == {"send"}
    assert len({item["id_sms"] for item in items}) == Message.objects.count() == 3000


# The caller's own number


def test_a_number_that_was_used_sends_nothing_and_gives_the_earlier_id_be_it_in_xml() -> None:
    (in_xml,) = send(f'phone="{PHONE}" client_id_sms="101"')
    (again,) = send_json({**ONE, "client_id_sms": "0101"}, text="another text")
    assert again["id_sms"] == in_xml.get("id_sms")
    assert Message.objects.get().text == "Wi-Fi is back"


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_repeats_one_is_sent() -> None:
    ids = at_once(lambda: send_json({**ONE, "client_id_sms": "101"})[0]["id_sms"], 6)
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert Message.objects.get().caller_reference == "101"


# Who may


def test_a_token_in_the_header_needs_no_security(operator: User) -> None:
    """As the platform's own tokens, which are made in its cabinet."""
    key = keys.issue(operator, "site")[1]
    body = {"type": "sms", "message": [json_message(ONE)]}
    (item,) = read_json(post_json_raw(body, HTTP_AUTHORIZATION=f"Bearer {key}"))["sms"]
    assert item["action"] == "send"
    (item,) = read_json(post_json("sms", password=key, message=[json_message(ONE)]))["sms"]
    assert item["action"] == "send"


@pytest.mark.parametrize("security", [None, {}, {"login": "operator"}, {"login": "operator", "password": "wrong"}])
def test_who_is_not_let_in_is_told_the_documented_error(security: Any) -> None:
    body = {"security": security, "type": "sms", "message": [json_message(ONE)]}
    assert json_error_in(post_json_raw(body)) == "Неправильный логин или пароль"
    assert not Message.objects.exists()


def test_whoever_may_not_send_is_told_so(nobody: User) -> None:
    answer = post_json("sms", "nobody", message=[json_message(ONE)])
    assert json_error_in(answer) == "Ваш аккаунт заблокирован"
    assert not Message.objects.exists()


def test_the_audit_trail_has_what_was_asked_and_no_text(operator: User) -> None:
    send_json(ONE, text="canary")
    event = AuditEvent.objects.get(action="targetsms.json")
    assert (event.status, event.user, event.object_id) == (200, operator, str(Message.objects.get().pk))
    assert event.request == {"sms": 1, "phones": ["+7916•••••67"]}
