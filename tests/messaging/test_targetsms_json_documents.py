"""What /sendsmsjson.php makes of bodies that are no document of its, or mean harm: its error, and nothing happens."""

import json
from typing import Any

import pytest
from django.urls import resolve
from pytest_django import Settings
from rest_framework.test import APIClient

from messaging.models import Message
from portal import defender
from portal.models import RefusedTry
from tests.conftest import PASSWORD
from tests.messaging.targetsms import JSON, json_error_in, json_message, post_json, post_json_raw, read_json

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]

BAD_FORMAT, NO_POST = "Неправильный формат JSON документа", "POST данные отсутствуют"
WRONG_LOGIN = "Неправильный логин или пароль"
SECURITY = {"login": "operator", "password": PASSWORD}
ONE = {"phone": "79161234567"}
MEBIBYTE = 1024 * 1024


def document(**changed: Any) -> str:
    whole = {"security": SECURITY, "type": "sms", "message": [json_message(ONE, text="Привет")], **changed}
    return json.dumps(whole, ensure_ascii=False)


GOOD = document()

#: What cannot be read at all: refused before anybody looks at the login.
UNREADABLE = {
    "no JSON": "Привет",
    "XML": "<request/>",
    "a form": "security=1&type=sms",
    "a list": f"[{GOOD}]",
    "a text": '"sms"',
    "null": "null",
    "two documents": GOOD + GOOD,
    "cut short": GOOD[:-5],
    "100,000 deep": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "40 deep": '{"a":' + "[" * 40 + "]" * 40 + "}",
    "a million values": '{"a":[' + "1," * 500_000 + "1]}",
    "two megabytes": GOOD.replace("Привет", "x" * 2 * MEBIBYTE),
    "the same key twice": GOOD.replace('"type": "sms", "sender"', '"type": "sms", "type": "sms", "sender"'),
    "two texts": GOOD.replace('"text"', '"text": "x", "text"'),
    "two securities": GOOD[:-1] + ', "security": {}}',
    "NUL": GOOD.replace("Привет", "\0"),
    "an escaped NUL": GOOD.replace("Привет", "\\u0000"),
    "half a pair": GOOD.replace("Привет", "\\ud800"),
    "NaN": GOOD.replace('"Привет"', "NaN"),
    "an endless number": GOOD.replace('"Привет"', "9" * 5000),
    "a number too large": GOOD.replace('"Привет"', "1e999"),
    "securities": document(security=[SECURITY]),
    "a login that is a list": document(security={**SECURITY, "login": ["operator"]}),
    "a password that is a truth": document(security={**SECURITY, "password": True}),
}
#: What can be read, and is of another kind than documented.
OTHERWISE: dict[str, dict[str, Any]] = {
    "a type that is a list": {"type": ["sms"]},
    "no messages": {"message": None},
    "none of them": {"message": []},
    "a message alone": {"message": json_message(ONE)},
    "a message that is a text": {"message": ["Привет"]},
    "no phones": {"message": [json_message()]},
    "messages with names": {"message": {"1": json_message(ONE), "last": json_message(ONE)}},
    "messages without any": {"message": {}},
    "phones that are a text": {"message": [json_message(ONE, abonent="79161234567")]},
    "a phone that is a text": {"message": [json_message(ONE, abonent=["79161234567"])]},
    "a phone that is a list": {"message": [json_message({"phone": ["79161234567"]})]},
    "a phone that is a fraction": {"message": [json_message({"phone": 7916123456.7})]},
    "a text that is an object": {"message": [json_message(ONE, text={"a": "b"})]},
    "a number that is a truth": {"message": [json_message({**ONE, "number_sms": True})]},
    "states without ids": {"type": "state"},
    "a state that is a text": {"type": "state", "get_state": "17"},
    "a state that is an object": {"type": "state", "get_state": [{"id_sms": "17"}]},
    "a period that is a list": {"type": "incoming", "time": ["2026-01-01 00:00:00"]},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_is_no_document_is_refused_before_the_login_is_looked_at(name: str) -> None:
    assert json_error_in(post_json_raw(UNREADABLE[name].encode())) == BAD_FORMAT
    assert not Message.objects.exists()
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("name", OTHERWISE)
def test_so_is_one_of_another_shape_once_it_is_known_who_calls(name: str, admin: Any) -> None:
    changed = {**OTHERWISE[name], "security": {**SECURITY, "login": "admin"}}
    assert json_error_in(post_json_raw(document(**changed).encode())) == BAD_FORMAT
    assert not Message.objects.exists()


def test_what_comes_before_it_in_a_document_is_not_sent() -> None:
    messages = [json_message(ONE), json_message({"phone": []})]
    assert json_error_in(post_json_raw(document(message=messages).encode())) == BAD_FORMAT
    assert not Message.objects.exists()


def test_a_hundred_megabytes_are_refused_by_what_they_say_of_themselves() -> None:
    answer = post_json_raw(GOOD.encode(), CONTENT_LENGTH=str(100 * MEBIBYTE))
    assert json_error_in(answer) == BAD_FORMAT


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-16"])
def test_another_charset_than_utf_8_is_refused_whatever_the_header_says(charset: str) -> None:
    answer = APIClient().generic("POST", JSON, GOOD.encode(charset), f"application/json; charset={charset}")  # type: ignore[arg-type]
    assert json_error_in(answer) == BAD_FORMAT


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_a_document_is_one_whatever_its_content_type_says(kind: str) -> None:
    """PHP's curl says that it sends a form unless it is told."""
    answer = APIClient().generic("POST", JSON, ("\ufeff" + GOOD).encode(), kind)  # type: ignore[arg-type]
    assert read_json(answer)["sms"][0]["action"] == "send"
    assert Message.objects.get().text == "Привет"


def test_keys_that_are_not_known_and_a_comma_too_many_are_passed_over() -> None:
    body = document(colour="red", message=[json_message({**ONE, "colour": "red"}, colour=[1])])
    assert read_json(post_json_raw((body[:-1] + ",}").encode()))["sms"][0]["action"] == "send"


def test_arrays_may_have_gaps_as_those_of_php() -> None:
    """What `json_encode` makes of one of which something was unset, or whose keys are ids."""
    messages = {"1": json_message(abonent={"5": {**ONE, "number_sms": "5"}, "7": {**ONE, "number_sms": "7"}})}
    sent = read_json(post_json("sms", message=messages))["sms"]
    assert [(one["number_sms"], one["action"]) for one in sent] == [("5", "send"), ("7", "send")]
    states = read_json(post_json("state", get_state={"1": sent[0]["id_sms"]}))["state"]
    assert [one["id_sms"] for one in states] == [sent[0]["id_sms"]]


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_body_is_told_by_the_documented_error(body: bytes) -> None:
    assert json_error_in(post_json_raw(body)) == NO_POST


def test_so_are_any_other_method_and_a_body_in_chunks() -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert json_error_in(APIClient().generic(method, JSON)) == NO_POST
    assert json_error_in(post_json_raw(b"", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")) == NO_POST


def test_the_address_works_with_and_without_a_slash_at_its_end() -> None:
    assert resolve(JSON).view_name == resolve(f"{JSON}/").view_name == "targetsms.json"


def test_where_the_system_is_not_understood_there_is_no_such_address(settings: Settings) -> None:
    settings.API_DROP_INS = ["kannel", "smsmobileapi"]
    with_it, without_it = (
        APIClient().generic("POST", path, GOOD.encode(), content_type="application/json")  # type: ignore[arg-type]
        for path in (JSON, "/no_such_address")
    )
    assert with_it.status_code == without_it.status_code == 404
    assert with_it.content == without_it.content
    assert not Message.objects.exists()


def test_a_guesser_is_turned_away_in_json(settings: Settings) -> None:
    for number in range(settings.DEFENDER_LIMIT):
        assert json_error_in(post_json("time", password=f"guess {number}")) == WRONG_LOGIN
    answer = post_json("time")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.content) == {"error": "Слишком много обращений. Повторите позже."}
    assert answer.headers["Content-Language"] == "ru"
    assert defender.blocked_now()


def test_pages_of_other_sites_cannot_make_browsers_guess() -> None:
    answer = post_json_raw(GOOD.encode(), HTTP_SEC_FETCH_SITE="cross-site")
    assert json_error_in(answer) == "Ваш аккаунт заблокирован"
    assert not RefusedTry.objects.exists()
    assert not Message.objects.exists()


def test_answers_are_for_programs_and_for_no_cache() -> None:
    answer = post_json("time")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Language"] == "ru"
