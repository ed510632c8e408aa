"""What all drop-ins share: whether they are there, what they read, whom they let in, and what the trail says."""

from typing import Any
from urllib.parse import quote_plus

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from gateways.models import Gateway
from messaging.dropin.reading import MOST_FIELDS
from messaging.models import Message
from portal import keys
from portal.audit import MASK
from portal.models import AuditEvent, RefusedTry, User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD

pytestmark = pytest.mark.urls("tests.messaging.dropin_routes")

URL = "/cgi-bin/send"
SMS = {"to": "+79161234567", "text": "Wi-Fi is back"}


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return keys.issue(operator, "old program")[1]


def get(fields: dict[str, Any], **headers: Any) -> Any:
    return Client(raise_request_exception=False).get(URL, fields, **headers)


def post(body: bytes | str, kind: str = "application/x-www-form-urlencoded", url: str = URL, **headers: Any) -> Any:
    # Its `post` would write the body anew in whatever charset is declared.
    return Client(raise_request_exception=False).generic("POST", url, body, content_type=kind, **headers)


def said(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


class TestWhetherItIsThere:
    def test_with_and_without_its_last_slash(self, key: str) -> None:
        for url in (URL, f"{URL}/"):
            assert said(Client().get(url, {**SMS, "apikey": key})).startswith("sent ")

    def test_a_closed_one_is_an_address_that_nobody_knows(self, key: str, settings: Settings) -> None:
        settings.API_DROP_INS = ["smsc"]
        for fields in ({**SMS, "apikey": key}, {}):
            closed, unknown = get(fields), Client().get("/cgi-bin/nothing", fields)
            assert closed.status_code == unknown.status_code == 404
            assert closed.content == unknown.content
            assert {**closed.headers, "X": ""} == {**unknown.headers, "X": ""}
        assert not Message.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_an_open_one_is_kept_by_no_cache_and_is_no_page(self, key: str) -> None:
        answer = get(SMS)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "form-action 'none'" in answer.headers["Content-Security-Policy"]

    @pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
    def test_only_get_and_post_are_calls(self, key: str, method: str) -> None:
        answer = Client().generic(method, f"{URL}?apikey={key}&to=79161234567&text=x")
        assert answer.content in {b"", b'405 : Method "%s" not allowed.' % method.encode()}
        assert not Message.objects.exists()


class TestWhatItReads:
    def test_a_form_in_parts_as_php_sends_it(self, key: str) -> None:
        assert said(Client().post(URL, {**SMS, "text": "Связь есть", "apikey": key})).startswith("sent ")
        assert Message.objects.get().text == "Связь есть"

    def test_fields_in_the_address_of_a_post(self, key: str) -> None:
        answer = post("text=hello", url=f"{URL}?apikey={key}&to=79161234567")
        assert said(answer).startswith("sent ")

    def test_a_declared_charset(self, key: str) -> None:
        body = f"apikey={key}&to=79161234567&text=" + quote_plus("Связь есть", encoding="windows-1251")
        answer = post(body, "application/x-www-form-urlencoded; charset=windows-1251")
        assert said(answer).startswith("sent ")
        assert Message.objects.get().text == "Связь есть"

    @pytest.mark.parametrize(
        ("body", "kind", "says"),
        [
            ("text=%C2%E2", "", "400 text: The field is not written in utf-8."),
            (b"text=\xc2\xe2", "", "400 text: The field is not written in utf-8."),
            ("text=a%00b", "", "400 text: The field holds a NUL character."),
            ("te%00xt=a", "", "400 : The name of a field holds a NUL character."),
            ("text=a&text=b", "", "400 text: The field is there twice; send it once."),
            ("text=a", "; charset=klingon", "400 charset: This charset is not known here; use UTF-8."),
            ("text=a", "; charset=zlib", "400 charset: This charset is not known here; use UTF-8."),
            ("text=a", "; charset=unicode_escape", "400 charset: This charset is not known here; use UTF-8."),
            (
                "&".join(f"f{n}=1" for n in range(MOST_FIELDS)),
                "",
                f"400 : The call has more than {MOST_FIELDS} fields.",
            ),
        ],
    )
    def test_what_cannot_be_read_is_refused_in_a_sentence(
        self, key: str, body: str | bytes, kind: str, says: str
    ) -> None:
        given = body.encode() if isinstance(body, str) else body
        answer = post(f"apikey={key}&".encode() + given, f"application/x-www-form-urlencoded{kind}")
        assert said(answer) == says
        assert not Message.objects.exists()

    def test_a_field_in_the_address_and_in_the_form(self, key: str) -> None:
        answer = post("text=a", url=f"{URL}?apikey={key}&text=b")
        assert said(answer) == "400 text: The field is in the address and in the form; send it once."

    def test_too_many_fields_in_the_address(self, key: str) -> None:
        answer = get({f"f{n}": n for n in range(20_000)}, HTTP_X_API_KEY=key)
        assert said(answer) == f"400 : The call has more than {MOST_FIELDS} fields."

    def test_a_form_in_parts_that_has_too_many_or_breaks_off(self, key: str) -> None:
        answer = Client().post(URL, {f"f{n}": n for n in range(MOST_FIELDS + 1)})
        assert said(answer) == f"400 : The call has more than {MOST_FIELDS} fields."
        answer = post("--x\r\nnothing", "multipart/form-data")
        assert said(answer) == "400 : The form cannot be read."

    def test_a_form_in_parts_with_more_files_than_are_counted(self, key: str) -> None:
        file = '--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nq\r\n'
        answer = post(file * 500 + "--x--\r\n", "multipart/form-data; boundary=x")
        assert said(answer) == "400 : The form cannot be read."

    def test_another_kind_of_body(self, key: str) -> None:
        assert said(post("{}", "application/json", HTTP_X_API_KEY=key)).startswith("415 : Send a form")

    def test_a_body_that_is_too_large(self, key: str) -> None:
        assert said(post("text=" + "a" * 1_100_000, HTTP_X_API_KEY=key)).startswith("413 ")

    def test_a_body_in_chunks(self, key: str) -> None:
        answer = Client().generic("POST", URL, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
        assert said(answer).startswith("411 ")

    def test_fields_that_nobody_knows_are_passed_over(self, key: str) -> None:
        assert said(get({**SMS, "apikey": key, "priority": 1})).startswith("sent ")


class TestWhomItLetsIn:
    def test_a_key_in_the_form(self, key: str) -> None:
        assert said(Client().post(URL, {**SMS, "apikey": key})).startswith("sent ")

    def test_name_and_password_in_a_form(self, key: str) -> None:
        assert said(Client().post(URL, {**SMS, "username": "operator", "password": PASSWORD})).startswith("sent ")

    def test_a_password_in_a_form_only_where_one_is_taken_with_every_call(self, key: str, settings: Settings) -> None:
        settings.API_WAYS_IN = ["api_key", "password_in_url"]
        for password in (PASSWORD, "guess"):
            answer = Client().post(URL, {**SMS, "username": "operator", "password": password})
            assert said(answer).startswith("401 : ")
        assert not RefusedTry.objects.exists()
        assert said(Client().post(URL, {**SMS, "username": "operator", "password": key})).startswith("sent ")
        assert said(get({**SMS, "username": "operator", "password": PASSWORD})).startswith("sent ")

    def test_a_password_in_an_address_only_where_that_is_wanted(self, key: str, settings: Settings) -> None:
        fields = {**SMS, "username": "operator", "password": PASSWORD}
        assert said(get(fields)).startswith("401 : A password must not be in an address")
        assert not RefusedTry.objects.exists()
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        assert said(get(fields)).startswith("sent ")

    def test_a_key_in_the_place_of_the_password(self, key: str) -> None:
        assert said(get({**SMS, "username": "operator", "password": key})).startswith("sent ")

    def test_the_ways_that_are_open_everywhere(self, key: str) -> None:
        assert said(get(SMS, HTTP_X_API_KEY=key)).startswith("sent ")
        assert said(get(SMS, HTTP_AUTHORIZATION=f"Bearer {key}")).startswith("sent ")
        assert said(get(SMS, HTTP_AUTHORIZATION=f"Basic operator:{PASSWORD}")).startswith("sent ")

    def test_nobody_without_anything(self, key: str) -> None:
        answer = get(SMS)
        assert said(answer).startswith("401 : ")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_key_where_keys_are_closed(self, key: str, settings: Settings) -> None:
        settings.API_WAYS_IN = ["login"]
        assert said(get({**SMS, "apikey": key})).startswith("401 : ")

    def test_a_database_that_is_away_is_told_in_the_words_of_the_system(self, key: str) -> None:
        def away(*_: Any) -> Any:
            raise OperationalError("gone")

        with connection.execute_wrapper(away):
            answers = [get({**SMS, "apikey": key}), get({**SMS, "username": "operator", "password": key})]
        for answer in answers:
            assert said(answer) == "503 : The database is busy or away. Try again."
            assert answer.headers["Retry-After"] == "1"

    def test_whoever_lacks_a_right_is_told_which(self, nobody: User, sandbox: Gateway) -> None:
        fields = {**SMS, "username": "nobody", "password": PASSWORD}
        assert said(Client().post(URL, fields)) == (
            "403 : Unauthorized access, lacking the SYSTEM_CREATE administrative role"
        )

    def test_pages_of_other_sites_cannot_make_browsers_guess(self, key: str) -> None:
        answer = get({**SMS, "username": "operator", "password": "guess"}, HTTP_SEC_FETCH_SITE="cross-site")
        assert said(answer) == "403 : Pages of another site cannot call here."
        assert not RefusedTry.objects.exists()

    def test_guesses_block_the_host_in_the_words_of_the_system(self, key: str, settings: Settings) -> None:
        settings.DEFENDER_LIMIT = 2
        answers = [Client().post(URL, {**SMS, "username": "operator", "password": f"guess {n}"}) for n in range(3)]
        assert [said(answer)[:4] for answer in answers] == ["401 ", "401 ", "429 "]
        assert int(answers[2].headers["Retry-After"]) > 0
        assert said(get({**SMS, "apikey": key}, HTTP_ACCEPT="text/html")).startswith("429 : Too many sign-ins")
        settings.API_DROP_INS = []
        assert get(SMS, HTTP_ACCEPT="application/json").json().keys() == {"message"}


class TestThroughWhichGateway:
    @pytest.fixture(autouse=True)
    def _gateways(self, sandbox: Gateway) -> None:
        Gateway.objects.create(name="hotel", provider="sandbox", sender="HOTEL")
        Gateway.objects.create(name="hotel-2", provider="sandbox", sender="HOTEL", priority=200)
        Gateway.objects.create(name="off", provider="sandbox", sender="OFF", enabled=False)

    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({}, "sandbox"),
            ({"from": ""}, "sandbox"),
            ({"from": "python"}, "sandbox"),
            ({"from": "OFF"}, "sandbox"),
            ({"from": "HOTEL"}, "hotel"),
            ({"from": "hotel-2"}, "hotel-2"),
            ({"sms_gateway": "hotel-2", "from": "HOTEL"}, "hotel-2"),
        ],
    )
    def test_the_named_one_then_the_senders_then_the_default(self, key: str, fields: dict[str, str], name: str) -> None:
        assert said(get({**SMS, "apikey": key, **fields})).startswith("sent ")
        assert Message.objects.get().gateway.name == name

    def test_one_that_does_not_exist(self, key: str) -> None:
        answer = get({**SMS, "apikey": key, "sms_gateway": "nowhere"})
        assert said(answer) == "404 gateway: There is no gateway “nowhere”."

    def test_for_a_key_of_some_gateways_the_others_are_not_there(self, operator: User) -> None:
        gateways = [Gateway.objects.get(name="hotel-2").pk]
        _row, narrow = keys.issue(operator, "narrow", gateways=gateways)
        fields = {**SMS, "apikey": narrow}
        assert said(get({**fields, "from": "HOTEL"})).startswith("sent ")
        assert Message.objects.get().gateway.name == "hotel-2"
        assert said(get({**fields, "sms_gateway": "hotel"})).startswith("404 ")
        assert said(get(fields)).startswith("422 gateway: ")


class TestWhatTheTrailSays:
    def test_a_get_that_sends_is_on_record_without_secrets(self, key: str) -> None:
        get({**SMS, "apikey": key, "psw": "x", "mes": "abc", "dlr-url": "http://a/?s=secret"})
        event = AuditEvent.objects.get()
        assert (event.action, event.method, event.status) == ("dropin.send", "GET", 200)
        assert (event.path, event.user_name) == (URL, "operator")
        assert event.object_id == str(Message.objects.get().pk)
        assert event.request == {
            "to": "+7916•••••67", "text": "13 characters", "apikey": MASK, "psw": MASK, "mes": "3 characters",
            "dlr-url": MASK,
        }  # fmt: skip

    def test_a_refused_call_is_on_record_with_what_it_was_refused_for(self, key: str) -> None:
        assert get({**SMS, "to": "12", "apikey": key}).status_code == 200
        assert AuditEvent.objects.get().status == 422

    def test_of_strangers_nothing_is_kept_but_their_name(self, key: str) -> None:
        Client().post(URL, {**SMS, "username": "operator", "password": "guess"})
        event = AuditEvent.objects.get()
        assert (event.status, event.user_name, event.request) == (401, "operator", {})
