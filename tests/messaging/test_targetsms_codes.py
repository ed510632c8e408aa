"""POST /password_generation/api.php: a one-time code as TargetSMS makes and sends it."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from messaging import codes
from messaging.models import Door, Message
from messaging.retries import Kind
from portal import keys
from portal.models import AuditEvent, RefusedTry, User
from tests.messaging.targetsms import CODES, PLUS_PHONE, as_attributes, as_texts, attributes, error_in, post, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]

ASKED = "<phone>+79161234567</phone><sender>sandbox</sender><text>Hotel: {код}</text>"
WRONG_LOGIN = "Неверный логин или пароль"


def ask(content: str = ASKED, **more: Any) -> dict[str, str]:
    (success,) = read(post(CODES, content, **{"security": as_texts(), **more}))
    assert success.tag == "success"
    return attributes(success)


def with_field(name: str, value: str) -> str:
    """The usual request with another value in this element, or with the element."""
    without = re.sub(rf"<{name}>.*</{name}>", "", ASKED)
    return f"{without}<{name}>{value}</{name}>"


def test_the_code_that_it_tells_is_the_one_in_the_text(operator: User) -> None:
    told = ask()
    message = Message.objects.get()
    assert told == {"code": told["code"], "id_sms": str(message.pk), "status": "send"}
    assert re.fullmatch("[0-9]{4}", told["code"])
    assert (message.text, message.phone) == (f"Hotel: {told['code']}", PLUS_PHONE)
    assert (message.kind, message.door, message.requested_by) == (Kind.CODE, Door.TARGETSMS, operator)


def test_the_code_is_nowhere_else() -> None:
    code = ask(with_field("random_string_len", "10"))["code"]
    assert Message.objects.get().shown_text == "Hotel: […]"
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert code not in repr(cursor.fetchall()), table


def test_every_code_is_another() -> None:
    assert len({ask(with_field("random_string_len", "10"))["code"] for _ in range(5)}) == 5


@pytest.mark.parametrize(("written", "digits"), [("", 4), ("4", 4), (" 6 ", 6), ("10", 10)])
def test_it_has_as_many_digits_as_are_asked_for(written: str, digits: int) -> None:
    assert len(ask(with_field("random_string_len", written))["code"]) == digits


@pytest.mark.parametrize("written", ["3", "0", "-4", "11", "4.0", "four", "٤", "9" * 5000])
def test_another_count_of_digits_is_refused(written: str) -> None:
    assert error_in(post(CODES, with_field("random_string_len", written))) == "Количество цифр в коде: от 4 до 10."
    assert not Message.objects.exists()


@pytest.mark.parametrize("content", [with_field("text", ""), with_field("text", "  "), "<phone>79161234567</phone>"])
def test_without_a_text_the_documented_one_is_sent(content: str) -> None:
    code = ask(content)["code"]
    assert Message.objects.get().text == f"Временный пароль: {code}"


def test_a_text_without_a_place_for_the_code_is_refused() -> None:
    assert error_in(post(CODES, with_field("text", "Hotel: {code}"))) == "Текст сообщения должен содержать {код}."
    assert not Message.objects.exists()


def test_a_code_that_is_named_twice_stands_there_twice() -> None:
    code = ask(with_field("text", "{код}&lt;{код}"))["code"]
    message = Message.objects.get()
    assert (message.text, message.shown_text) == (f"{code}<{code}", "[…]<[…]")


def test_a_text_that_is_too_long_is_refused() -> None:
    assert error_in(post(CODES, with_field("text", "{код}" + "ы" * 2000))) == "Текст сообщения слишком длинный."


@pytest.mark.parametrize("phone", ["", "12", "abc", "+7916123456", "9" * 30])
def test_a_phone_that_is_none_is_told_by_the_documented_status(phone: str) -> None:
    assert ask(with_field("phone", phone)) == {"code": "", "id_sms": "", "status": "not_valid_phone"}
    assert not Message.objects.exists()
    assert AuditEvent.objects.get(action="targetsms.password_generation").status == 422


@pytest.mark.parametrize("phone", ["79161234567", "+7 916 123-45-67", "89161234567", "9161234567"])
def test_a_phone_may_be_written_in_any_usual_way(phone: str) -> None:
    ask(with_field("phone", phone))
    assert Message.objects.get().phone == PLUS_PHONE


def test_a_number_of_another_country_needs_no_plus() -> None:
    ask(with_field("phone", "491701234567"))
    assert Message.objects.get().phone == "+491701234567"


def test_where_no_gateway_can_take_it_now_nothing_is_sent(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, refused_at=timezone.now())
    assert ask() == {"code": "", "id_sms": "", "status": "connection_error"}
    assert not Message.objects.exists()
    assert AuditEvent.objects.get(action="targetsms.password_generation").status == 503


def test_another_gateway_stands_in(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, refused_at=timezone.now())
    other = Gateway.objects.create(name="other", provider="smsgate")
    Gateway.objects.filter(pk=sandbox.pk).update(provider="smsgate")
    ask()
    assert Message.objects.get().gateway == other


def test_a_default_gateway_that_makes_codes_itself_is_passed_over(sandbox: Gateway) -> None:
    Gateway.objects.filter(pk=sandbox.pk).update(provider="targetsms_codes", name="codes")
    assert ask()["status"] == "connection_error"
    other = Gateway.objects.create(name="other", provider="smsgate")
    assert ask()["status"] == "send"
    assert Message.objects.get().gateway == other


def test_one_that_is_named_is_refused(sandbox: Gateway) -> None:
    Gateway.objects.create(name="codes", provider="targetsms_codes")
    assert error_in(post(CODES, with_field("sender", "codes"))) == "Данное направление закрыто для вас."
    assert not Message.objects.exists()


def test_the_sender_names_a_gateway_or_is_that_of_one(sandbox: Gateway) -> None:
    hotel = Gateway.objects.create(name="hotel", provider="smsgate", sender="Hotel")
    for sender, gateway in (("hotel", hotel), ("Hotel", hotel), ("unheard of", sandbox), ("", sandbox)):
        key = ask(with_field("sender", sender))["id_sms"]
        assert Message.objects.get(pk=key).gateway == gateway


def test_a_phone_beyond_the_prefixes_of_every_gateway_is_refused(sandbox: Gateway) -> None:
    Gateway.objects.update(prefixes=["+49"])
    assert error_in(post(CODES, ASKED)) == "Данное направление закрыто для вас."


def test_without_a_default_gateway_it_is_refused(sandbox: Gateway) -> None:
    Gateway.objects.update(is_default=False)
    assert error_in(post(CODES, with_field("sender", ""))) == "Данное направление закрыто для вас."


@pytest.mark.parametrize("security", [as_texts, as_attributes])
def test_login_and_password_are_texts_or_attributes(security: Any) -> None:
    assert ask(security=security())["status"] == "send"
    assert error_in(post(CODES, ASKED, security("operator", "wrong"))) == WRONG_LOGIN
    assert error_in(post(CODES, ASKED, security("unheard of"))) == WRONG_LOGIN
    assert Message.objects.count() == 1
    assert RefusedTry.objects.count() == 2


@pytest.mark.parametrize("security", ["", "<security/>", "<security><login>operator</login></security>"])
def test_without_a_password_nobody_comes_in(security: str) -> None:
    assert error_in(post(CODES, ASKED, security)) == WRONG_LOGIN


def test_an_api_key_stands_for_the_password(operator: User) -> None:
    key = keys.issue(operator, "site")[1]
    assert ask(security=as_texts("operator", key))["status"] == "send"
    assert error_in(post(CODES, ASKED, as_texts("somebody", key))) == WRONG_LOGIN


def test_whoever_may_not_send_is_told_the_documented_error(nobody: User) -> None:
    assert error_in(post(CODES, ASKED, as_texts("nobody"))) == "Ваш аккаунт заблокирован"
    assert AuditEvent.objects.get(action="targetsms.password_generation").status == 403


def test_a_password_that_opens_the_admin_only_is_told_so_too(operator: User) -> None:
    User.objects.update(password_opens_api=False)
    assert error_in(post(CODES, ASKED)) == "Ваш аккаунт заблокирован"


def test_the_audit_trail_has_what_was_asked_and_no_secret(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    # Others might be the four digits of the phone that can be read.
    monkeypatch.setattr(codes, "secrets", SimpleNamespace(choice=lambda _digits: "0"))
    code = ask()["code"]
    assert code == "0000"
    event = AuditEvent.objects.get(action="targetsms.password_generation")
    assert (event.status, event.user, event.object_id) == (200, operator, str(Message.objects.get().pk))
    assert event.request == {
        "phone": "+7916•••••67", "sender": "sandbox", "text": "12 characters", "random_string_len": "",
    }  # fmt: skip
    assert code not in repr(event.request)
