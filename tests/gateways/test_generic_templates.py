"""Templates of the generic provider: a value stays a value wherever it stands; bad ones are refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest
import time_machine
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from gateways import xml
from gateways.configuration import checked
from gateways.generic import templates
from gateways.generic.placeholders import ALL
from gateways.http import HttpRequest, HttpResponse
from gateways.outcomes import OutboundSms, RefusedHere, SentSms
from gateways.providers.http import Provider

SMS = OutboundSms("portal-1", "+79161234567", "Привет & пока", "Portal", datetime(2026, 11, 22, tzinfo=UTC), parts=2)
CALLBACK = "https://portal.example.org/callbacks/1/k3y/"
MINIMAL = {"url": "https://sms.example.org/send", "ok": "contains:OK"}

#: Whatever a person or a template may write; nobody can send half a pair.
any_text = st.text(st.characters(exclude_categories=["Cs"]))
hostile = example("&to=1#?;=%41+\r\n\"'</text><x/>]]>{{text}}\\u0022,\x00\x85\u2028😀")


def values(text: str) -> Mapping[str, str]:
    return {**dict.fromkeys(ALL, "x"), "text": text}


def provider(**settings: Any) -> Provider:
    return Provider(checked("http", {**MINIMAL, **settings}, {}), "Portal", "main", CALLBACK)


def request_of(sms: OutboundSms = SMS, **settings: Any) -> HttpRequest:
    return provider(**settings).submit(sms)


def errors_of(**settings: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        checked("http", {**MINIMAL, **settings}, {})
    return raised.value.message_dict


# What stays in its place


@given(any_text)
@hostile
def test_a_text_in_the_query_adds_no_field_and_leaves_the_host_alone(text: str) -> None:
    url = templates.address("https://sms.example.org/send?a={{text}}&b={{id}}", values(text), "utf-8")

    assert url.isascii()
    assert urlsplit(url).netloc == "sms.example.org"
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [("a", text), ("b", "x")]


@given(any_text)
@hostile
def test_a_text_in_the_path_adds_no_folder(text: str) -> None:
    try:
        url = templates.address("https://sms.example.org/to/{{text}}/send?q=1", values(text), "utf-8")
    except templates.Unfillable:
        assert text in {".", ".."}
    else:
        parts = urlsplit(url)
        assert (parts.netloc, parts.query, parts.fragment) == ("sms.example.org", "q=1", "")
        assert parts.path.count("/") == 3


@given(any_text)
@hostile
def test_a_text_in_a_form_adds_no_field(text: str) -> None:
    body = templates.body("urlencoded", "a={{text}}\nb=1&c={{text}}", values(text), "utf-8")

    assert parse_qsl(body.decode("ascii"), keep_blank_values=True) == [("a", text), ("b", "1"), ("c", text)]


@given(any_text)
@hostile
def test_a_text_in_json_is_a_string_whatever_it_holds(text: str) -> None:
    template = '{"a": "{{text}}", "b": ["<{{text}}>", 1, true, null], "c": {"d": "{{id}}"}}'

    for encoding in ("utf-8", "windows-1251"):
        body = templates.body("json", template, values(text), encoding)
        assert json.loads(body.decode(encoding)) == {"a": text, "b": [f"<{text}>", 1, True, None], "c": {"d": "x"}}


@given(any_text)
@hostile
def test_a_text_in_xml_is_a_text_whatever_it_holds(text: str) -> None:
    template = '<sms a="{{text}}"><b>{{text}}</b>after {{text}}<![CDATA[<{{text}}>]]></sms>'

    for encoding in ("utf-8", "windows-1251"):
        root = xml.parse(templates.body("xml", template, values(text), encoding))
        held = xml.possible(text)
        assert (root.attrib.items(), len(root), root[0].text or "") == ([("a", held)], 1, held)
        assert root[0].tail == f"after {held}<{held}>"


@given(any_text)
@hostile
def test_a_text_before_the_end_of_a_plain_body_stays_in_its_line(text: str) -> None:
    body = templates.body("text", "text: {{text}}\nto: {{to}}", values(text), "utf-8").decode()

    assert len(body.splitlines()) == 2
    assert body.endswith("\nto: x")


def test_a_text_at_the_end_of_a_plain_body_keeps_its_lines() -> None:
    assert templates.body("text", "to: 1\n\n{{text}}", values("one\r\ntwo\x07"), "utf-8") == b"to: 1\n\none\ntwo"


@pytest.mark.parametrize("value", ["a\nX-Evil: 1", "a\rb", "a\x00b", "a\x85b"])
def test_a_control_character_in_a_header_is_no_request(value: str) -> None:
    with pytest.raises(templates.Unfillable):
        templates.headers("X-Id: {{id}}", {**values(""), "id": value})


def test_what_a_text_holds_is_not_filled_again() -> None:
    body = request_of(
        replace(SMS, text="{{password}}"), content_type="text", body="{{text}} {{login}}", login="me", password="s3cret"
    ).body

    assert body == b"{{password}} me"


# What a message is made of


@time_machine.travel("2026-11-22T09:30:00.5+00:00", tick=False)
def test_every_placeholder_has_its_value() -> None:
    names = sorted(ALL)
    template = json.dumps({name: f"{{{{ {name} }}}}" for name in names})

    body = request_of(
        content_type="json", body=template, login="me", password="pass", api_key="key", phone_format="national"
    ).body

    assert json.loads(body) == {
        "id": "portal-1",
        "to": "89161234567",
        "to_no_plus": "79161234567",
        "to_national": "89161234567",
        "text": "Привет & пока",
        "text_hex": "041f04400438043204350442002000260020043f043e043a0430",
        "sender": "Portal",
        "login": "me",
        "password": "pass",
        "token": "key",
        "schedule_unix": "1795339800",
        "schedule_iso": "2026-11-22T09:30:00+00:00",
        "callback_url": CALLBACK,
        "parts": "2",
    }


@pytest.mark.parametrize(
    ("phone", "national"), [("+79161234567", "89161234567"), ("+12015550123", "2015550123"), ("+999", "999")]
)
def test_a_phone_at_home_is_written_as_it_is_dialled_there(phone: str, national: str) -> None:
    assert request_of(replace(SMS, phone=phone), url="https://h.example/?to={{to_national}}").url.endswith(
        f"={national}"
    )


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r"])
def test_an_older_encoding_holds_everywhere(encoding: str) -> None:
    form = request_of(
        encoding=encoding, content_type="urlencoded", body="текст={{text}}", url="https://h.example/?t={{text}}"
    )
    plain = request_of(encoding=encoding, content_type="text", body="Код: {{text}}")

    assert unquote_plus(form.body.decode(), encoding) == f"текст={SMS.text}"
    assert unquote_plus(form.url, encoding) == f"https://h.example/?t={SMS.text}"
    assert plain.body.decode(encoding) == f"Код: {SMS.text}"
    assert plain.headers["content-type"] == f"text/plain; charset={encoding}"


def test_a_text_that_the_encoding_lacks_is_refused_here_and_not_mangled() -> None:
    gateway = provider(encoding="windows-1251", content_type="text", body="{{text}}")

    with pytest.raises(RefusedHere, match="windows-1251"):
        gateway.submit(replace(SMS, text="🕊"))


def test_a_text_with_too_many_segments_is_refused_here() -> None:
    with pytest.raises(RefusedHere, match="2 segments"):
        request_of(max_parts=1)
    assert request_of(max_parts=2)


def test_a_question_is_about_the_providers_id_or_ours() -> None:
    gateway = provider(
        status_url="https://h.example/{{id}}?to={{to}}",
        status="json:$.s",
        status_map="1=delivered",
        headers="X: {{sender}}",
    )
    asked = SentSms("portal-1", 1, "+79161234567", "a/b")

    assert gateway.query([asked]).url == "https://h.example/a%2Fb?to=%2B79161234567"
    assert gateway.query([replace(asked, reference="")]).url == "https://h.example/portal-1?to=%2B79161234567"
    assert gateway.query([asked]).headers == {"X": ""}


# What the form refuses


def test_the_least_there_is_to_say_is_taken() -> None:
    settings = checked("http", MINIMAL, {})

    assert (settings["method"], settings["ok_http"], settings["retry_http"]) == ("POST", "200-299", "429, 503")


@pytest.mark.parametrize(
    "url",
    [
        "https://{{to}}/send",
        "https://sms.{{text}}.org/",
        "https://sms.example.org{{text}}",
        "https://sms.example.org:{{id}}/",
        "https://{{login}}:{{password}}@sms.example.org/",
        "{{callback_url}}",
        "{{text}}://sms.example.org/",
        "https://sms.example.org\\{{text}}",
        "https://пример.рф/",
        "ftp://sms.example.org/",
        "file:///etc/passwd",
        "sms.example.org/{{to}}",
        "https://sms.example.org/#{{text}}",
        "https://me:secret@sms.example.org/",
        "https://sms.example.org/a b",
        "https://sms.example.org/a\x01b",
    ],
)
@pytest.mark.parametrize("field", ["url", "status_url"])
def test_an_address_that_a_message_could_change_or_nobody_could_call_is_refused(field: str, url: str) -> None:
    asks = {"status_url": "https://h.example/", "status": "json:$.s", "status_map": "1 = pending"}
    errors = errors_of(**{**asks, field: url, "login": "me", "password": "p"})

    assert list(errors) == [f"settings.{field}"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("url", {"url": "https://sms.example.org/?t={{txt}}"}),
        ("headers", {"headers": "X-A: {{txt}}"}),
        ("headers", {"headers": "X-A: {{txt}}", "content_type": "json", "body": "{}"}),
        ("body", {"content_type": "json", "body": '{"a": "{{txt}}"}'}),
        ("body", {"content_type": "xml", "body": "<a>{{txt}}</a>"}),
        ("body", {"content_type": "urlencoded", "body": "a={{txt}}"}),
        ("body", {"content_type": "text", "body": "{{txt}}"}),
        ("status_url", {"status_url": "https://h.example/{{txt}}", "status": "json:$.s", "status_map": "1=delivered"}),
    ],
)
def test_a_placeholder_that_does_not_exist_is_named(field: str, given: dict[str, str]) -> None:
    errors = errors_of(**given)

    assert list(errors) == [f"settings.{field}"]
    assert "{{txt}}" in errors[f"settings.{field}"][0]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("body", {"content_type": "json", "body": '{"parts": {{parts}}}'}),
        ("body", {"content_type": "json", "body": '{"a": "\\u007b\\u007btxt}}"}'}),
        ("body", {"content_type": "json", "body": '{"a": NaN}'}),
        ("body", {"content_type": "json", "body": "[" * 7999}),
        ("body", {"content_type": "json"}),
        ("body", {"content_type": "xml", "body": "<a>{{text}}</b>"}),
        ("body", {"content_type": "xml", "body": "<{{text}}/>"}),
        ("body", {"content_type": "xml", "body": "<a>&#123;&#123;txt}}</a>"}),
        ("body", {"content_type": "xml", "body": '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'}),
        ("body", {"content_type": "text", "body": "{{text}"}),
        ("body", {"content_type": "text", "body": "{{text}} 🕊", "encoding": "koi8-r"}),
        ("body", {"content_type": "none", "body": "{{text}}"}),
        ("body", {"content_type": "text", "body": "{{text}}", "method": "GET"}),
        ("headers", {"headers": "X-Text: {{text}}"}),
        ("headers", {"headers": "no colon"}),
        ("headers", {"headers": "Bad Name: 1"}),
        ("headers", {"headers": "Host: internal.example.org"}),
        ("headers", {"headers": "transfer-encoding: chunked"}),
        ("headers", {"headers": "X-Login: {{login}}", "login": "a\x0bb"}),
        ("headers", {"headers": "Authorization: Bearer abc"}),
        ("headers", {"headers": "X-API-Key: abc"}),
        ("url", {"url": "https://h.example/?apikey=abc&to={{to}}"}),
        ("url", {"url": "https://h.example/?psw=abc"}),
        ("url", {"url": "https://h.example/?k={{token}}"}),
        ("url", {"url": "https://h.example/../{{to}}"}),
        ("body", {"content_type": "urlencoded", "body": "user_password=abc\nto={{to}}"}),
        ("body", {"content_type": "json", "body": '{"auth": {"api_key": "abc"}}'}),
        ("body", {"content_type": "xml", "body": "<a><password>abc</password></a>"}),
        ("status_url", {"status_url": "https://h.example/{{text}}", "status": "json:$.s", "status_map": "1=delivered"}),
        ("api_key", {"auth": "bearer"}),
        ("auth_name", {"auth": "api_key_header", "api_key": "k"}),
        ("auth", {"auth": "api_key_header", "api_key": "k", "auth_name": "X Y"}),
        ("auth", {"auth": "api_key_form", "api_key": "k", "auth_name": "key", "content_type": "json", "body": "{}"}),
        ("auth_url", {"auth": "session", "login": "me", "password": "p"}),
        ("client_secret", {"auth": "oauth2", "client_id": "me", "auth_url": "https://h.example/token"}),
    ],
)
def test_what_cannot_work_is_refused_under_its_field(field: str, given: dict[str, Any]) -> None:
    errors = errors_of(**given)

    assert list(errors) == [f"settings.{field}"]
    assert all(errors[f"settings.{field}"])


def test_a_secret_may_stand_where_a_placeholder_asks_for_it() -> None:
    request = request_of(
        url="https://h.example/?login={{login}}&psw={{password}}", headers="X-Api-Key: {{token}}",
        login="me", password="p&s", api_key="k3y",
    )  # fmt: skip

    assert request.url == "https://h.example/?login=me&psw=p%26s"
    assert request.headers == {"X-Api-Key": "k3y"}


def test_a_message_by_get_may_be_asked_about_by_post() -> None:
    gateway = provider(
        method="GET",
        content_type="json",
        status_url="https://h.example/",
        status_body='{"id": "{{id}}"}',
        status="json:$.s",
        status_map="1 = pending",
    )
    asked = gateway.query([SentSms("portal-1", 1, "+79161234567", "7")])

    assert (gateway.submit(SMS).method, gateway.submit(SMS).body, gateway.submit(SMS).headers) == ("GET", b"", {})
    assert (asked.method, asked.body) == ("POST", b'{"id": "7"}')


# Ways in


@pytest.mark.parametrize(
    ("settings", "url", "headers", "body"),
    [
        ({"auth": "api_key_query", "auth_name": "apiKey"}, "https://h.example/?a=1&apiKey=k%2B1", {}, "to=x"),
        ({"auth": "api_key_form", "auth_name": "apiKey"}, "https://h.example/?a=1", {}, "to=x&apiKey=k%2B1"),
        ({"auth": "api_key_header", "auth_name": "X-Key"}, "https://h.example/?a=1", {"X-Key": "k+1"}, "to=x"),
        ({"auth": "bearer"}, "https://h.example/?a=1", {"authorization": "Bearer k+1"}, "to=x"),
        ({"auth": "basic"}, "https://h.example/?a=1", {"authorization": "Basic bWU6cGFzcw=="}, "to=x"),
        ({"auth": "none"}, "https://h.example/?a=1", {}, "to=x"),
    ],
)
def test_a_request_is_signed_in_the_chosen_way(
    settings: dict[str, str], url: str, headers: dict[str, str], body: str
) -> None:
    gateway = provider(
        url="https://h.example/?a=1",
        content_type="urlencoded",
        body="to=x",
        login="me",
        password="pass",
        api_key="k+1",
        **settings,
    )
    signed = gateway.way.sign(gateway.submit(SMS), gateway.settings, None)

    assert signed.url == url
    assert {name: value for name, value in signed.headers.items() if name != "content-type"} == headers
    assert signed.body.decode() == body
    assert not gateway.way.logs_in


@pytest.mark.parametrize(
    ("auth", "fields"),
    [
        ("oauth2", "grant_type=client_credentials&client_id=id&client_secret=secret"),
        ("session", "grant_type=password&client_id=id&client_secret=secret&username=me&password=pass"),
        ("login_token", '{"username": "me", "password": "pass"}'),
    ],
)
@pytest.mark.parametrize("name", ["", "X-Token"])
def test_a_login_has_its_own_address_and_its_token_a_header(auth: str, fields: str, name: str) -> None:
    gateway = provider(
        auth=auth, auth_url="https://id.example.org:8443/a/token?tenant=1", auth_name=name,
        login="me", password="pass", client_id="id", client_secret="secret",
    )  # fmt: skip
    login = gateway.way.login(gateway.settings)
    answer = templates.BODIES["json"]('{"access_token": "t0k", "token": "t0k"}', {}, "utf-8")
    token = gateway.way.read_login(gateway.settings, HttpResponse(200, {}, answer))
    signed = gateway.way.sign(gateway.submit(SMS), gateway.settings, token)

    assert (login.method, login.url, login.body.decode()) == (
        "POST",
        "https://id.example.org:8443/a/token?tenant=1",
        fields,
    )
    assert signed.url == MINIMAL["url"]
    assert dict(signed.headers) == ({"X-Token": "t0k"} if name else {"authorization": "Bearer t0k"})
    assert gateway.way.logs_in
    assert gateway.way.ended(HttpResponse(401))
