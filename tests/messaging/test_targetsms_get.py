"""/sendsms.php of the SMSGate platform: a text, the state of one, or the balance, in plain text."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote_plus

import pytest
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from gateways.models import Gateway, GatewayHealth
from messaging import opt_outs, sending
from messaging.dropin.targetsms import get_calls
from messaging.models import Batch, Door, Message, State
from messaging.retries import Kind
from portal.audit import MASK
from portal.models import AuditEvent, RefusedTry, User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD
from tests.messaging.programs import PHONE, both_methods, call, key_of
from tests.messaging.targetsms import GET, send_json
from tests.messaging.targetsms_get import BARE, CLOSED, ask, said, send

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPEATED = "error: Попытка отправки более одного одинакового запроса в течение минуты"
BLOCKED = "Ваш аккаунт заблокирован"
WRONG_LOGIN = "Неправильный логин или пароль"
BAD_CALL = "Запрос нельзя прочесть: каждое поле должно быть в нём один раз и в кодировке UTF-8."
NO_FORM = "Запрос нельзя прочесть: отправьте поля в адресе или форму с Content-Length, не более 1 МиБ."


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


@both_methods
def test_it_answers_with_the_id_alone(key: str, operator: User, method: str) -> None:
    answer = send(key, method)
    message = Message.objects.get()
    assert said(answer) == str(message.pk)
    assert (message.phone, message.text, message.door, message.kind) == (
        PHONE, "Связь есть", Door.TARGETSMS, Kind.INFORMATION,
    )  # fmt: skip
    assert (message.requested_by, message.batch) == (operator, None)
    event = AuditEvent.objects.get()
    assert (event.action, event.method, event.status, event.object_id) == (
        "targetsms.sendsms", method, 200, str(message.pk),
    )  # fmt: skip
    assert event.request == {
        "user": "operator", "pwd": MASK, "sadr": "HOTEL", "dadr": "79161•••••67", "text": "10 characters",
    }  # fmt: skip


class TestPhones:
    def test_several_get_an_id_each(self, key: str) -> None:
        ids = said(send(key, dadr=f"{BARE}, 79161234568,,"))
        assert ids == ",".join(str(pk) for pk in Message.objects.order_by("pk").values_list("pk", flat=True))
        assert [one.phone for one in Message.objects.order_by("pk")] == [PHONE, "+79161234568"]

    @pytest.mark.parametrize("again", ["+7 916 123-45-67", "89161234567", " 89161234567", " 79161234567"])
    def test_each_gets_it_once(self, key: str, again: str) -> None:
        assert said(send(key, dadr=f"{BARE},{again}")) == str(Message.objects.get().pk)

    def test_a_plus_that_an_address_makes_a_space_names_the_country(self, key: str) -> None:
        """Without it this one of the Maldives is +7 960 763-17-06."""
        said(send(key, dadr=" 9607631706"))
        assert Message.objects.get().phone == "+9607631706"

    def test_a_wrong_one_stops_no_other_and_has_its_error_in_its_place(self, key: str) -> None:
        answer = said(send(key, dadr=f"12,{BARE}"))
        assert answer == f"Укажите номер телефона.,{Message.objects.get().pk}"

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"dadr": ""}, "Укажите номер телефона."),
            ({"dadr": " , "}, "Укажите номер телефона."),
            ({"dadr": "12"}, "Укажите номер телефона."),
            ({"dadr": "12,13"}, "Укажите номер телефона.,Укажите номер телефона."),
            ({"dadr": "9161234567890123"}, "Номер телефона должен быть меньше 15 символов."),
            ({"text": ""}, "Нет текста сообщения."),
            ({"text": "ы" * 3000}, "Текст сообщения слишком длинный."),
        ],
    )
    def test_where_nobody_gets_it_the_error_is_as_documented(
        self, key: str, fields: dict[str, str], words: str
    ) -> None:
        assert said(send(key, "POST", **fields)) == words
        assert not Message.objects.exists()
        assert AuditEvent.objects.get().status == 422

    def test_whoever_opted_out_is_told_as_documented(self, key: str, admin: User) -> None:
        opt_outs.add(phone=PHONE, note="", added_by=admin)
        assert said(send(key)) == "Номер телефона присутствует в стоп-листе."
        assert Message.objects.get().state == State.SUPPRESSED

    def test_there_is_an_end_to_how_many_there_may_be(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "MOST", 2)
        looked_at: list[str] = []
        monkeypatch.setattr(get_calls, "spelled", looked_at.append)
        assert "не более 2 сообщений" in said(send(key, dadr="79161234567,79161234568,79161234569"))
        assert not Message.objects.exists()
        assert not looked_at


class TestGateway:
    def test_the_sender_chooses_one(self, key: str) -> None:
        Gateway.objects.create(name="hotel", provider="sandbox", sender="HOTEL")
        send(key)
        assert Message.objects.get().gateway.name == "hotel"

    def test_one_that_does_not_serve_the_phone_is_closed_to_it(self, key: str) -> None:
        Gateway.objects.update(prefixes=["+33"])
        assert said(send(key)) == CLOSED
        assert not Message.objects.exists()

    def test_a_name_makes_a_batch(self, key: str) -> None:
        send(key, name_delivery="auth")
        assert Message.objects.get().batch == Batch.objects.get(name="auth")


class TestQuestions:
    def test_the_state_of_one(self, key: str) -> None:
        sent = said(send(key))
        for state, word in (
            (State.DELIVERED, "deliver"),
            (State.EXPIRED, "expired"),
            (State.UNRESOLVED, "partly_deliver"),
        ):
            Message.objects.update(state=state)
            assert said(ask(key, smsid=sent)) == word
        assert said(ask(key, "POST", smsid=f" {sent} ", dadr=BARE, text="not sent")) == "partly_deliver"
        assert Message.objects.count() == 1

    @pytest.mark.parametrize("smsid", ["999999", "abc", "9" * 30, "1,2"])
    def test_one_that_is_not_known(self, key: str, smsid: str) -> None:
        assert said(ask(key, smsid=smsid)) == "Сообщения с таким smsid нет."

    def test_that_of_others_is_not_known(self, key: str, admin: User) -> None:
        sent = send_json({"phone": PHONE})[0]["id_sms"]
        Message.objects.update(requested_by=admin)
        assert said(ask(key, smsid=sent)) == "Сообщения с таким smsid нет."

    def test_the_balance(self, key: str, sandbox: Gateway) -> None:
        assert said(ask(key, balance="1")) == "Остаток на счёте неизвестен."
        GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("445.6"), currency="RUB")
        assert said(ask(key, balance="1")) == "445.60 RUR"

    def test_they_are_not_on_record(self, key: str) -> None:
        for fields in ({"balance": "1"}, {"smsid": "1"}):
            ask(key, **fields)
        assert not AuditEvent.objects.exists()


class TestWhoCalls:
    def test_a_password_in_an_address_only_where_that_is_wanted(self, key: str, settings: Settings) -> None:
        for fields in ({}, {"balance": "1"}):
            answer = said(send(PASSWORD, **fields))
            assert answer == f"{WRONG_LOGIN}: пароль в адресе не принимается, укажите вместо него ключ API."
        assert not RefusedTry.objects.exists()
        assert not Message.objects.exists()
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        assert said(send(PASSWORD)).isdecimal()

    def test_in_a_form_as_long_as_passwords_are_taken_with_every_call(self, key: str, settings: Settings) -> None:
        assert said(send(PASSWORD, "POST")).isdecimal()
        settings.API_WAYS_IN = ["api_key", "password_in_url"]
        assert said(send(PASSWORD, "POST", text="x")) == WRONG_LOGIN
        assert said(send(key, text="x")).isdecimal()

    def test_a_token_in_the_header_needs_neither_field(self, key: str) -> None:
        answer = Client().get(GET, {"dadr": BARE, "text": "x"}, HTTP_AUTHORIZATION=f"Bearer {key}")
        assert said(answer).isdecimal()

    @pytest.mark.parametrize("fields", [{"pwd": "wrong"}, {"pwd": ""}, {"user": "somebody"}])
    def test_whoever_is_wrong_is_told_no_more_than_that(self, key: str, fields: dict[str, str]) -> None:
        assert said(send(key, "POST", **fields)) == WRONG_LOGIN
        assert not Message.objects.exists()

    def test_whoever_lacks_a_right(self, nobody: User, auditor: User, sandbox: Gateway) -> None:
        for fields in ({}, {"smsid": "1"}, {"balance": "1"}):
            assert said(send(key_of(nobody), user="nobody", **fields)) == BLOCKED
        assert said(send(key_of(auditor), user="auditor")) == BLOCKED
        assert said(ask(key_of(auditor), user="auditor", smsid="1")) == "Сообщения с таким smsid нет."
        assert not Message.objects.exists()

    def test_a_guesser_is_turned_away(self, key: str, settings: Settings) -> None:
        for number in range(settings.DEFENDER_LIMIT):
            assert said(send(f"guess {number}", "POST")) == WRONG_LOGIN
        answer = send(key)
        assert (answer.status_code, answer.content.decode()) == (429, "Слишком много обращений. Повторите позже.")
        assert int(answer.headers["Retry-After"]) > 0

    def test_pages_of_other_sites_cannot_make_browsers_guess(self, key: str) -> None:
        answer = Client().get(GET, {"user": "operator", "pwd": "guess"}, HTTP_SEC_FETCH_SITE="cross-site")
        assert said(answer) == BLOCKED
        assert not RefusedTry.objects.exists()


class TestWhatItReads:
    @pytest.mark.parametrize("query", ["text=%FF", "text=a%00", "te%00xt=a", "text=a&text=b", "text=%C2%E2"])
    def test_what_cannot_be_read_is_told_with_what_is_needed(self, key: str, query: str) -> None:
        answer = Client().get(f"{GET}?user=operator&pwd={key}&dadr={BARE}&{query}")
        assert said(answer) == BAD_CALL
        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "told"),
        [("application/x-www-form-urlencoded; charset=klingon", BAD_CALL), ("application/json", NO_FORM)],
    )
    def test_a_form_of_another_kind_or_charset(self, key: str, kind: str, told: str) -> None:
        body = f"user=operator&pwd={key}&dadr={BARE}&text=a"
        assert said(Client().generic("POST", GET, body, kind)) == told

    def test_neither_an_address_that_is_read_nor_a_form(self, key: str) -> None:
        assert said(Client().put(f"{GET}?user=operator&pwd={key}&dadr={BARE}&text=a")) == NO_FORM
        assert not Message.objects.exists()

    def test_a_form_in_its_charset(self, key: str) -> None:
        body = f"user=operator&pwd={key}&dadr={BARE}&text={quote_plus('Связь есть', encoding='cp1251')}"
        kind = "application/x-www-form-urlencoded; charset=windows-1251"
        assert said(Client().generic("POST", GET, body, kind)).isdecimal()
        assert Message.objects.get().text == "Связь есть"

    def test_a_hundred_megabytes_and_a_body_in_chunks(self, key: str) -> None:
        form = "application/x-www-form-urlencoded"
        assert said(Client().generic("POST", GET, b"a=b", form, CONTENT_LENGTH=str(100 * 2**20))) == NO_FORM
        chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
        assert said(Client().generic("POST", GET, b"", form, **chunks)) == NO_FORM  # type: ignore[arg-type]

    def test_the_address_works_with_and_without_a_slash_at_its_end(self) -> None:
        assert resolve(GET).view_name == resolve(f"{GET}/").view_name == "targetsms.sendsms"

    def test_where_the_system_is_not_understood_there_is_no_such_address(self, key: str, settings: Settings) -> None:
        settings.API_DROP_INS = ["kannel", "smsmobileapi"]
        closed, unknown = send(key), call("/no_such_address")
        assert (closed.status_code, closed.content) == (unknown.status_code, unknown.content) == (404, closed.content)
        assert not Message.objects.exists()
