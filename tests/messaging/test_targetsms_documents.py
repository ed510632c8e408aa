"""What the calls of TargetSMS make of documents that are none, or mean harm: a clear error, and nothing happens."""

import resource
from typing import Any

import pytest
from django.urls import resolve
from pytest_django import Settings
from rest_framework.test import APIClient

from messaging.models import Message
from portal import defender, keys
from portal.models import RefusedTry, User
from tests.messaging.targetsms import (
    ALL,
    CODES,
    SEND,
    STATE,
    as_attributes,
    as_texts,
    document_of,
    error_in,
    message,
    post,
    post_raw,
    read,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]

BAD_FORMAT, NO_POST = "Неправильный формат XML документа", "POST данные отсутствуют"
PHONE = 'phone="79161234567"'
GOOD = f"<request>{as_attributes()}{message(PHONE, text='Привет')}</request>"
A = "a"
MEBIBYTE = 1024 * 1024
LAUGHS = "".join(f'<!ENTITY l{n} "' + f"&l{n - 1};" * 10 + '">' for n in range(1, 10))

HOSTILE = {
    "billion laughs": f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><request>&l9;</request>',
    "quadratic blow-up": f'<!DOCTYPE r [<!ENTITY a "{A * 50_000}">]><request>{"&a;" * 20_000}</request>',
    "external entity": '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><request>&e;</request>',
    "entity on the network": '<!DOCTYPE r [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]><request>&e;</request>',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]><request/>',
    "DTD": '<!DOCTYPE request SYSTEM "http://127.0.0.1:1/request.dtd">' + GOOD,
    "bare DTD": "<!DOCTYPE request>" + GOOD,
    "unknown entity": GOOD.replace("Привет", "&nbsp;"),
    "100,000 deep": "<request>" + "<a>" * 100_000 + "</a>" * 100_000 + "</request>",
    "200 deep": "<request>" + "<a>" * 200 + "</a>" * 200 + "</request>",
    "a million elements": "<request>" + "<a/>" * 1_000_000 + "</request>",
    "as many as fit": "<request>" + "<a/>" * 250_000 + "</request>",
    "comments": "<request>" + "<!---->" * 140_000 + "</request>",
    "instructions": "<request>" + "<?a?>" * 200_000 + "</request>",
    "two megabytes": GOOD.replace("Привет", "x" * 2 * MEBIBYTE),
    "attributes": "<request " + " ".join(f'a{n}=""' for n in range(80_000)) + ">" + GOOD + "</request>",
    "the same attribute twice": GOOD.replace('phone="79161234567"', 'phone="79161234567" phone="79161234568"'),
    "a name space nobody declared": GOOD.replace("<message", "<x:message").replace("</message", "</x:message"),
    "NUL": GOOD.replace("Привет", "\0"),
    "a reference to NUL": GOOD.replace("Привет", "&#0;"),
    "half a pair": GOOD.replace("Привет", "&#xD800;"),
    "a control character": GOOD.replace("Привет", "\x0b"),
    "two documents": GOOD + GOOD,
    "cut short": GOOD[:-5],
    "no XML": "Привет",
    "JSON": '{"security": {"login": "operator"}}',
    "another root": GOOD.replace("request>", "response>"),
    "two logins": GOOD.replace("<security>", '<security><login value="operator"/>'),
    "two securities": GOOD.replace("<message", as_attributes() + "<message", 1),
    "a login of both kinds": GOOD.replace('<login value="operator"/>', '<login value="operator">operator</login>'),
    "two texts": GOOD.replace("<text>", "<text>x</text><text>"),
    "elements in a text": GOOD.replace("Привет", "<b>Привет</b>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_document_that_is_none_is_refused_at_once_and_changes_nothing(name: str) -> None:
    assert error_in(post_raw(SEND, HOSTILE[name].encode())) == BAD_FORMAT
    assert not Message.objects.exists()


def test_memory_stays_as_it_was() -> None:
    bodies = [one.encode() for one in HOSTILE.values()]
    for body in bodies:
        post_raw(SEND, body)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for body in bodies * 3:
        post_raw(SEND, body)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 20 * 1024, "in KiB"


@pytest.mark.parametrize("path", ALL)
def test_every_call_refuses_it_before_it_looks_at_the_login(path: str) -> None:
    for body in (b"<request>", b"<!DOCTYPE a><request/>", b"\0", b"x"):
        assert error_in(post_raw(path, body)) == BAD_FORMAT
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_body_is_told_by_the_documented_error(path: str, body: bytes) -> None:
    assert error_in(post_raw(path, body)) == NO_POST


@pytest.mark.parametrize("path", ALL)
def test_any_other_method_is_told_so_too(path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert error_in(APIClient().generic(method, path)) == NO_POST


def test_a_body_in_chunks_is_told_so_too() -> None:
    assert error_in(post_raw(SEND, b"", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")) == NO_POST


# Charsets


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", "utf-16"])
def test_a_document_may_name_its_charset(charset: str) -> None:
    body = f'<?xml version="1.0" encoding="{charset}"?>{GOOD}'.encode(charset)
    assert read(post_raw(SEND, body, "text/xml"))[0].text == "send"
    assert Message.objects.get().text == "Привет"


def test_the_header_names_it_where_the_document_does_not() -> None:
    body = GOOD.encode("windows-1251")
    assert read(post_raw(SEND, body, "text/xml; charset=windows-1251"))[0].text == "send"
    assert Message.objects.get().text == "Привет"


@pytest.mark.parametrize(
    ("named", "written"),
    [("utf-8", "windows-1251"), ("utf-7", "utf-7"), ("utf-16", "utf-8"), ("klingon", "utf-8"), ("utf-32", "utf-32")],
)
def test_another_charset_than_is_named_or_known_is_refused(named: str, written: str) -> None:
    body = f'<?xml version="1.0" encoding="{named}"?>{GOOD}'.encode(written)
    assert error_in(post_raw(SEND, body)) == BAD_FORMAT


def test_a_charset_that_hides_a_document_type_hides_nothing() -> None:
    body = '<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE r+AD4-' + GOOD
    assert error_in(post_raw(SEND, body.encode())) == BAD_FORMAT
    assert error_in(post_raw(SEND, ("<!DOCTYPE request>" + GOOD).encode("utf-16"))) == BAD_FORMAT


@pytest.mark.parametrize("kind", ["text/xml", "application/xml", "application/x-www-form-urlencoded", "text/plain", ""])
def test_a_document_is_one_whatever_its_content_type_says(kind: str) -> None:
    assert read(post_raw(SEND, GOOD.encode(), kind))[0].text == "send"


def test_a_text_may_be_written_as_character_data() -> None:
    read(post(SEND, message('phone="79161234567"', text="<![CDATA[<b> & ]]>")))
    assert Message.objects.get().text == "<b> & "


def test_comments_and_unknown_elements_are_passed_over() -> None:
    content = "<!-- one --><?x y?><colour>red</colour>" + message('phone="79161234567" colour="red"', text="a<!-- -->b")
    assert read(post(SEND, content))[0].text == "send"
    assert Message.objects.get().text == "ab"


def test_what_xml_cannot_hold_is_left_out_of_an_echo() -> None:
    (item,) = read(post(SEND, message('phone="79161234567" number_sms="&quot;&lt;&#x1F600;&amp;"')))
    assert item.get("number_sms") == '"<😀&'


# Addresses, and who is blocked


@pytest.mark.parametrize("path", ALL)
def test_each_address_works_with_and_without_a_slash_at_its_end(path: str) -> None:
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    assert error_in(post_raw(other, b"")) == NO_POST
    assert resolve(path).view_name == resolve(other).view_name


@pytest.mark.parametrize("path", ALL)
def test_where_the_system_is_not_understood_there_is_no_such_address(path: str, settings: Settings) -> None:
    settings.API_DROP_INS = ["kannel"]
    with_it = post(path, "")
    without_it = post_raw("/no_such_address", b"<request/>")
    assert (with_it.status_code, with_it.content) == (without_it.status_code, without_it.content)
    assert with_it.status_code == 404


@pytest.mark.parametrize("path", ALL)
def test_a_guesser_is_turned_away_in_a_document(path: str, settings: Settings) -> None:
    wrong = "Неверный логин или пароль" if path == CODES else "Неправильный логин или пароль"
    for number in range(settings.DEFENDER_LIMIT):
        assert error_in(post(path, "", as_texts("operator", f"guess {number}"))) == wrong
    for security in (as_texts(), as_attributes()):
        answer = post(path, "", security)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert document_of(answer)[0].text == "Слишком много обращений. Повторите позже."
        assert answer.headers["Content-Language"] == "ru"
    assert defender.blocked_now()


def test_answers_are_for_programs_and_for_no_cache() -> None:
    answer = post(STATE, "<get_state/>")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Language"] == "ru"


@pytest.mark.parametrize("header", ["HTTP_AUTHORIZATION", "HTTP_X_API_KEY"])
def test_who_is_known_by_a_header_needs_no_security(operator: User, header: str) -> None:
    key = keys.issue(operator, "site")[1]
    shown: dict[str, Any] = {header: f"Bearer {key}" if header == "HTTP_AUTHORIZATION" else key}
    assert list(read(post_raw(STATE, b"<request><get_state/></request>", **shown))) == []
