"""`/cgi-bin/sendsms` of Kannel."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from gateways.models import Gateway, GatewayHealth
from messaging import opt_outs
from messaging.models import Door, Message, State, Wait
from portal.models import AuditEvent, User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD
from tests.messaging.programs import PHONE, both_methods, call, key_of

URL = "/cgi-bin/sendsms"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


def send(key: str, method: str = "GET", **fields: Any) -> Any:
    given = {"username": "operator", "password": key, "to": PHONE, "text": "Wi-Fi is back", "from": "HOTEL", **fields}
    return call(URL, method, **{name: value for name, value in given.items() if value is not None})


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.content.decode()


ACCEPTED = (202, "0: Accepted for delivery")


@both_methods
def test_it_answers_as_kannel_does(key: str, operator: User, method: str) -> None:
    assert said(send(key, method)) == ACCEPTED
    message = Message.objects.get()
    assert (message.phone, message.text, message.door) == (PHONE, "Wi-Fi is back", Door.KANNEL)
    assert message.requested_by == operator
    event = AuditEvent.objects.get()
    assert (event.action, event.status, event.object_id) == ("kannel.sendsms", 202, str(message.pk))
    assert event.request["to"] == "+7916•••••67"
    assert key not in str(event.request)


class TestWhoCalls:
    def test_a_key_as_the_password_under_both_spellings(self, key: str) -> None:
        fields = {"to": PHONE, "text": "x", "user": "operator", "pass": key}
        assert said(call(URL, **fields)) == ACCEPTED

    def test_a_password_in_an_address_only_where_that_is_wanted(self, key: str, settings: Settings) -> None:
        status, sentence = said(send(PASSWORD))
        assert (status, sentence[:46]) == (403, "Authorization failed for sendsms (A password m")
        assert said(send(PASSWORD, "POST")) == ACCEPTED
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        assert said(send(PASSWORD)) == ACCEPTED

    @pytest.mark.parametrize("fields", [{"password": "wrong"}, {"password": ""}, {"username": "somebody"}])
    def test_whoever_is_wrong_is_told_no_more_than_that(self, key: str, fields: dict[str, str]) -> None:
        assert said(send(key, "POST", **fields)) == (403, "Authorization failed for sendsms")
        assert not Message.objects.exists()

    def test_a_lacking_right_is_named(self, nobody: User, sandbox: Gateway) -> None:
        status, sentence = said(send(key_of(nobody), username="nobody"))
        assert (status, "SYSTEM_CREATE" in sentence) == (403, True)

    def test_a_blocked_host_is_told_to_come_later(self, key: str, settings: Settings) -> None:
        settings.DEFENDER_LIMIT = 1
        send("wrong", "POST")
        answer = send(key)
        assert said(answer) == (429, "Temporal failure, try again later.")
        assert int(answer.headers["Retry-After"]) > 0


class TestHeadersAndPlainText:
    """A POST of the text alone, with all else in headers, as our own provider of Kannel sends."""

    def post(self, text: bytes, kind: str = "text/plain; charset=UTF-8", **headers: str) -> Any:
        named: dict[str, Any] = {f"HTTP_X_KANNEL_{name.upper()}": value for name, value in headers.items()}
        return Client().generic("POST", URL, text, content_type=kind, **named)

    def test_the_text_is_the_body(self, key: str) -> None:
        answer = self.post("Связь есть".encode(), username="operator", password=key, to=PHONE, coding="2")
        assert said(answer) == ACCEPTED
        assert Message.objects.get().text == "Связь есть"

    def test_an_own_password_in_headers_is_not_in_the_address(self, key: str) -> None:
        assert said(self.post(b"x", username="operator", password=PASSWORD, to=PHONE)) == ACCEPTED

    def test_in_the_charset_that_is_declared(self, key: str) -> None:
        text = "Связь есть".encode("windows-1251")
        kind = "text/plain; charset=windows-1251"
        assert said(self.post(text, kind, username="operator", password=key, to=PHONE)) == ACCEPTED
        assert Message.objects.get().text == "Связь есть"

    def test_without_a_text_or_a_phone(self, key: str) -> None:
        who = {"username": "operator", "password": key}
        assert said(self.post(b"", **who, to=PHONE)) == (400, "Empty text not allowed, rejected")
        assert said(self.post(b"", **who)) == (400, "Missing receiver number, rejected")


class TestText:
    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("text=" + quote("Связь есть"), "Связь есть"),
            ("charset=windows-1251&text=" + quote("Связь есть", encoding="windows-1251"), "Связь есть"),
            ("coding=2&text=" + quote("Связь".encode("utf-16-be")), "Связь"),
            ("coding=2&charset=UTF-8&text=" + quote("Связь"), "Связь"),
            *(
                (f"coding={two}&text=" + quote("Связь".encode("utf-16-be")), "Связь")
                for two in ("02", "+2", "2%20", "2x")
            ),
            *((f"coding={none}&text=" + quote("Связь"), "Связь") for none in ("0", "", "utf8", "x2")),
            ("charset=UTF-16BE&text=" + quote("ab".encode("utf-16-be")), "ab"),
            ("coding=2&charset=UCS-2&text=" + quote("Связь".encode("utf-16-be")), "Связь"),
        ],
    )
    def test_it_is_read_in_its_charset(self, key: str, query: str, text: str) -> None:
        answer = Client().get(f"{URL}?username=operator&password={key}&to=79161234567&{query}")
        assert said(answer) == ACCEPTED
        assert Message.objects.get().text == text

    @pytest.mark.parametrize(
        ("charset", "codec"),
        [
            *((name, "utf-16-be") for name in ("UCS-2", "ucs2", "UCS-2BE", "ISO-10646-UCS-2", "UTF-16BE", "UTF16BE")),
            *((name, "utf-16-be") for name in ("UTF-16", "UNICODE", "UNICODEBIG")),
            *((name, "utf-16-le") for name in ("UCS-2LE", "UTF-16LE", "UNICODELITTLE")),
            *((name, "utf-16") for name in ("UCS-2", "UTF-16")),
            *((name, "cp1251") for name in ("WINDOWS-1251", "windows-1251", "CP1251", "MS-CYRL")),
            *((name, "koi8-r") for name in ("KOI8-R", "KOI8R")),
            *((name, "utf-8") for name in ("UTF-8", "UTF8", "UTF-8//TRANSLIT", "utf-8//IGNORE")),
        ],
    )
    def test_a_charset_has_the_names_that_iconv_knows(self, key: str, charset: str, codec: str) -> None:
        query = f"charset={quote(charset)}&text={quote('Связь'.encode(codec))}"
        assert said(Client().get(f"{URL}?username=operator&password={key}&to=79161234567&{query}")) == ACCEPTED
        assert Message.objects.get().text == "Связь"

    @pytest.mark.parametrize("charset", ["ISO-8859-1", "ISO8859-1", "ISO_8859-1", "latin1", "LATIN1", "L1"])
    def test_so_have_those_of_western_europe(self, key: str, charset: str) -> None:
        query = f"charset={charset}&text=Caf%E9"
        assert said(Client().get(f"{URL}?username=operator&password={key}&to=79161234567&{query}")) == ACCEPTED
        assert Message.objects.get().text == "Café"

    def test_of_a_form_in_ucs_2_the_charset_of_its_type_says_nothing(self, key: str) -> None:
        form = f"username=operator&password={key}&to=79161234567&coding=2&text=" + quote("Связь".encode("utf-16-be"))
        kind = "application/x-www-form-urlencoded; charset=UTF-8"
        assert said(Client().generic("POST", URL, form, content_type=kind)) == ACCEPTED
        assert Message.objects.get().text == "Связь"
        form = f"username=operator&password={key}&to=79161234567&text=" + quote("Связь", encoding="windows-1251")
        kind = "application/x-www-form-urlencoded; charset=windows-1251"
        assert said(Client().generic("POST", URL, form, content_type=kind)) == ACCEPTED
        assert {message.text for message in Message.objects.all()} == {"Связь"}

    @pytest.mark.parametrize(
        ("query", "why"),
        [
            ("text=%FF", "The field is not written in utf-8."),
            ("coding=2&text=a", "The field is not written in utf-16-be."),
            ("coding=2&charset=UCS-2&text=a", "The field is not written in UCS-2."),
            ("text=a%00", "The field holds a NUL character."),
            ("charset=klingon&text=a", "This charset is not known here; use UTF-8."),
            ("charset=zlib&text=a", "This charset is not known here; use UTF-8."),
            ("charset=UCS-4&text=a", "This charset is not known here; use UTF-8."),
            ("charset=//TRANSLIT&text=a", "This charset is not known here; use UTF-8."),
        ],
    )
    def test_what_is_not_written_in_it(self, key: str, query: str, why: str) -> None:
        answer = Client().get(f"{URL}?username=operator&password={key}&to=79161234567&{query}")
        assert said(answer) == (400, f"Charset or body misformed, rejected ({why})")
        assert not Message.objects.exists()

    @pytest.mark.parametrize("text", ["", " ", None])
    def test_there_must_be_one(self, key: str, text: str | None) -> None:
        assert said(send(key, text=text)) == (400, "Empty text not allowed, rejected")

    def test_one_that_is_too_long(self, key: str) -> None:
        status, sentence = said(send(key, text="я" * 2000))
        assert (status, sentence[:31]) == (400, "Text field misformed, rejected ")


class TestReceivers:
    def test_several_get_one_answer(self, key: str) -> None:
        assert said(send(key, to="+79161234567 79161234568 79161234567")) == ACCEPTED
        assert sorted(message.phone for message in Message.objects.all()) == ["+79161234567", "+79161234568"]

    def test_a_wrong_one_stops_no_other_and_is_named(self, key: str) -> None:
        answer = send(key, to="+79161234567 12 abc")
        assert said(answer) == (202, "0: Accepted for delivery Denied receivers are: 12 abc")
        assert Message.objects.count() == 1

    @pytest.mark.parametrize(
        ("to", "says"),
        [
            (None, "Missing receiver number, rejected"),
            ("", "Empty receiver number not allowed, rejected"),
            (" ", "Empty receiver number not allowed, rejected"),
            ("abc", "Number(s) has/have been denied by white- and/or black-lists."),
            (" ".join(str(79161234567 + n) for n in range(101)), "Too many receivers, rejected"),
        ],
    )
    def test_where_nobody_gets_it(self, key: str, to: str | None, says: str) -> None:
        assert said(send(key, to=to)) == (400, says)
        assert not Message.objects.exists()

    def test_whoever_opted_out_is_denied_and_on_record(self, key: str, admin: User) -> None:
        opt_outs.add(phone=PHONE, note="", added_by=admin)
        assert said(send(key)) == (400, "Number(s) has/have been denied by white- and/or black-lists.")
        assert Message.objects.get().state == State.SUPPRESSED
        answer = send(key, to=f"{PHONE} 79161234568")
        assert said(answer) == (202, f"0: Accepted for delivery Denied receivers are: {PHONE}")


class TestGateway:
    def test_the_connection_is_a_gateway_by_its_name(self, key: str) -> None:
        Gateway.objects.create(name="hotel", provider="sandbox")
        assert said(send(key, smsc="hotel")) == ACCEPTED
        assert Message.objects.get().gateway.name == "hotel"

    def test_the_sender_chooses_one(self, key: str) -> None:
        Gateway.objects.create(name="hotel", provider="sandbox", sender="HOTEL")
        send(key)
        assert Message.objects.get().gateway.name == "hotel"

    def test_one_that_is_not_there_or_does_not_serve_the_phone(self, key: str) -> None:
        assert said(send(key, smsc="nowhere")) == (403, "Not routable. Do not try again.")
        Gateway.objects.update(prefixes=["+33"])
        assert said(send(key)) == (403, "Not routable. Do not try again.")

    def test_one_that_is_paused_queues(self, key: str, sandbox: Gateway) -> None:
        GatewayHealth.objects.create(gateway=sandbox, refused_at=NOW)
        assert said(send(key)) == (202, "3: Queued for later delivery")
        assert Message.objects.get().state == State.QUEUED


class TestWhen:
    def test_it_waits_so_many_minutes(self, key: str) -> None:
        with time_machine.travel(NOW, tick=False):
            assert said(send(key, deferred="10")) == (202, "3: Queued for later delivery")
        message = Message.objects.get()
        assert (message.due_at, message.waits_for) == (NOW + timedelta(minutes=10), Wait.SCHEDULE)

    def test_it_is_not_sent_after_its_validity(self, key: str) -> None:
        with time_machine.travel(NOW, tick=False):
            send(key, deferred="10", validity="15")
        assert Message.objects.get().valid_until == NOW + timedelta(minutes=15)

    def test_minus_one_is_what_kannel_writes_for_none(self, key: str) -> None:
        assert said(send(key, validity="-1", deferred="-1", coding="-1")) == ACCEPTED
        assert Message.objects.get().waits_for == Wait.NONE

    def test_what_is_no_number_is_passed_over_as_kannel_does(self, key: str) -> None:
        assert said(send(key, validity="x", deferred="y")) == ACCEPTED

    def test_what_stands_behind_a_number_is_passed_over_too(self, key: str) -> None:
        with time_machine.travel(NOW, tick=False):
            send(key, validity=" 015 minutes")
        assert Message.objects.get().valid_until == NOW + timedelta(minutes=15)

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"validity": "5", "deferred": "5"}, "Validity field misformed, rejected"),
            ({"validity": "-5"}, "Validity field misformed, rejected"),
            ({"deferred": "-5"}, "Deferred field misformed, rejected"),
            ({"deferred": "9" * 30}, "Deferred field misformed, rejected"),
            ({"coding": "9"}, "Coding field misformed, rejected"),
            ({"coding": "1"}, "Coding field misformed, rejected"),
            ({"coding": "01"}, "Coding field misformed, rejected"),
            ({"udh": "%05"}, "UDH field misformed, rejected"),
        ],
    )
    def test_a_misformed_field_is_named(self, key: str, fields: dict[str, str], says: str) -> None:
        assert said(send(key, **fields)) == (400, says)
        assert not Message.objects.exists()

    def test_a_time_that_is_too_far_away(self, key: str) -> None:
        status, sentence = said(send(key, deferred=str(60 * 24 * 31)))
        assert (status, sentence[:35]) == (400, "Deferred field misformed, rejected ")
