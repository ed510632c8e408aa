"""Rules of the generic provider: what an answer says by them, and that one which cannot be tried makes it unclear."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from gateways.configuration import checked
from gateways.generic import patterns, rules, tables
from gateways.http import Callback, HttpResponse
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    BadCallback,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
    NotAccepted,
    Receipt,
    ReceiptState,
    Refused,
    RefusedForNow,
    RefusedHere,
    SentSms,
    Unreadable,
)
from gateways.provider import read_outcome
from gateways.providers.http import Provider

MINIMAL = {"url": "https://sms.example.org/send"}
#: A pattern that tries every way to split a row of letters.
ENDLESS = "regex:^(?:(?:a|a)*)*$"

NOTHING: tuple[Any, ...] = (None, False, 0, "", "0", [], {}, [[None]])


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    written = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, written.encode())


def provider(**settings: Any) -> Provider:
    return Provider(checked("http", {**MINIMAL, **settings}, {}), "Portal", "main", "https://portal.example.org/c/")


def outcome_of(response: HttpResponse, **settings: Any) -> Accepted | NotAccepted:
    return read_outcome(provider(**settings), response)


def errors_of(**settings: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        checked("http", {**MINIMAL, "ok": "contains:OK", **settings}, {})
    return raised.value.message_dict


# One rule


@pytest.mark.parametrize(
    ("rule", "body", "holds"),
    [
        ("contains:OK", "it is OK", True),
        ("contains:OK", "it is ok", False),
        ("contains: a:b = c ", "x a:b = c y", True),
        ("regex:^0: ", "0: Accepted", True),
        ("regex:^0:", "10: no", False),
        ("regex:(?i)ошибка", "ОШИБКА 1", True),
        ("json:$.error = 0", {"error": 0}, True),
        ("json:$.error = 0", {"error": "0"}, True),
        ("json:$.error = 0", {"error": 1}, False),
        ("json:$.error=0", {}, False),
        ("json:$.error = null", {"error": None}, True),
        ("json:$.ok = true", {"ok": True}, True),
        ("json:$.ok = true", {"ok": 1}, False),
        ("json:$.ok = a = b", {"ok": "a = b"}, True),
        ("json:$.ok =", {"ok": ""}, True),
        ("json:$.a.b[1].c = x", {"a": {"b": [0, {"c": "x"}]}}, True),
        ("json:$.a.b[1].c = x", {"a": {"b": [{"c": "x"}]}}, False),
        ("json:$[0]", ["x"], True),
        ("json:$['message-id'] = 7", {"message-id": 7}, True),
        ("json:$.message-id = 7", {"message-id": 7}, True),
        ("json:$['имя с пробелом'] = 7", {"имя с пробелом": 7}, True),
        ("json:$ = yes", '"yes"', True),
        ("json:$.error", {"error": {"code": 1}}, True),
        *(("json:$.error", {"error": nothing}, False) for nothing in NOTHING),
        ("json:$.a.b", {"a": [1]}, False),
        ("json:$.a[0]", {"a": {"0": 1}}, False),
        ("xpath:/r/state = ok", "<r><state> ok\n</state></r>", True),
        ("xpath:/r/state", "<r><state/></r>", True),
        ("xpath:/r/state", "<r/>", False),
        ("xpath://sms[@id='2']/text() = b", "<r><sms id='1'>a</sms><sms id='2'>b</sms></r>", True),
        ("xpath://sms[2]/@id = 2", "<r><sms id='1'>a</sms><sms id='2'>b</sms></r>", True),
        ("xpath://*[local-name()='state'] = ok", "<r xmlns='urn:x'><state>ok</state></r>", True),
        ("status:200-202,302", "", True),
        ("status: 404", "", False),
    ],
)
def test_a_rule_holds_or_not(rule: str, body: Any, holds: bool) -> None:
    assert rules.all_hold(rules.parse(rule), answer(body)) is holds


@pytest.mark.parametrize(
    ("rule", "body", "found"),
    [
        ("regex:id=(\\w+)", "ok id=a1 id=b2", "a1"),
        ("regex:\\d+", "ok 42", "42"),
        ("regex:(x)?\\d", "7", ""),
        ("json:$.id", {"id": 10000000001}, "10000000001"),
        ("json:$.id", {"id": 1.50}, "1.5"),
        ("json:$.id", {"id": "  a b "}, "a b"),
        ("json:$.id", {"id": ["a"]}, ""),
        ("json:$.id", {"id": None}, ""),
        ("json:$.id\njson:$.ids[0]", {"ids": ["b"]}, "b"),
        ("json:$.id\nregex:id (\\d+)", "id 7", "7"),
        ("xpath://sms/@id", "<r><sms id='001'/><sms id='002'/></r>", "001"),
        ("xpath:/r/sms", "<r><sms>a <b>b</b>\n c</sms></r>", "a b c"),
    ],
)
def test_a_rule_finds_a_value(rule: str, body: Any, found: str) -> None:
    assert rules.first_found(rules.parse(rule), answer(body)) == found


@pytest.mark.parametrize(
    "rule",
    [
        "OK",
        "contains:",
        "like:x",
        "regex:(",
        "regex:" + "a" * 301,
        "regex:(?:(?:a{100}){100}){100}",
        "regex:(?:a{0}a{99999999}){2}",
        "regex:a(?R)?b",
        "regex:(a(?1)?b)",
        "regex:(?<n>a(?&n)?b)",
        "regex:\\L<words>",
        "json:id",
        "json:$..id",
        "json:$.a[*]",
        "json:$.a[?(@.b)]",
        "json:$." + "a" * 200,
        "xpath:sms",
        "xpath:count(//*)",
        "xpath:document('file:///etc/passwd')",
        "xpath:re:test('a', 'b')",
        "xpath://*[count(//*) > 1]",
        "xpath://a//b//c",
        "xpath:/a/following::b",
        "xpath:/a[b[c='d']]",
        "xpath:/a | /b",
        "status:2xx",
        "status:20",
    ],
)
def test_a_rule_that_is_not_understood_is_refused_in_the_form(rule: str) -> None:
    errors = errors_of(ok=rule)

    assert list(errors) == ["settings.ok"]
    assert all(errors["settings.ok"])


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("ok", {"ok": ""}),
        ("reference", {"reference": "contains:OK"}),
        ("reference", {"reference": "status:200"}),
        ("error", {"error": "contains:x"}),
        ("error_map", {"error_map": "1 = refused"}),
        ("error_map", {"error": "json:$.e", "error_map": "1 = lost"}),
        ("error_map", {"error": "json:$.e", "error_map": "refused"}),
        ("ok_http", {"ok_http": "fine"}),
        ("ok_http", {"ok_http": ""}),
        ("retry_http", {"retry_http": "4"}),
        ("status", {"status": "json:$.s"}),
        ("status", {"status_url": "https://h.example/{{id}}", "status_map": "1 = delivered"}),
        ("status_map", {"status_url": "https://h.example/{{id}}", "status": "json:$.s"}),
        ("status_map", {"callback_id": "id", "callback_status": "s", "status_map": "1 = arrived"}),
        ("callback_id", {"callback_id": "id"}),
        ("callback_status", {"callback_status": "s", "status_map": "1 = delivered"}),
        ("callback_from", {"callback_from": "from"}),
        ("callback_from", {"callback_from": "$..from", "callback_text": "text"}),
    ],
)
def test_rules_that_say_too_little_or_nonsense_are_refused_under_their_field(field: str, given: dict[str, str]) -> None:
    assert list(errors_of(**given)) == [f"settings.{field}"]


def test_a_table_takes_values_with_a_sign_in_them_and_any_case() -> None:
    assert tables.table("A=B = delivered\n\n Прочее=PENDING ", ["delivered", "pending"]) == {
        "a=b": "delivered",
        "прочее": "pending",
    }


def test_statuses_are_single_ones_and_ranges() -> None:
    assert tables.statuses("200-202, 302") == {200, 201, 202, 302}
    assert tables.statuses(" ") == frozenset()


# What cannot be tried


@pytest.mark.parametrize("field", ["ok", "fail"])
def test_a_pattern_that_takes_too_long_makes_the_answer_unclear(field: str) -> None:
    outcome = outcome_of(answer("a" * 5000 + "!OK"), **{"ok": "contains:OK", field: ENDLESS})

    assert isinstance(outcome, Ambiguous)
    assert "too long" in outcome.reason


def test_a_pattern_that_takes_too_long_finds_no_reference() -> None:
    outcome = outcome_of(answer("a" * 5000 + "!OK"), ok="contains:OK", reference=ENDLESS)

    assert outcome == Accepted("")


def test_a_pattern_sees_the_beginning_of_an_answer_only() -> None:
    found = "x" * patterns.SEARCHED

    assert isinstance(outcome_of(answer(f"{found}OK"), ok="regex:OK"), Ambiguous)
    assert isinstance(outcome_of(answer(f"OK{found}"), ok="regex:OK"), Accepted)


@pytest.mark.parametrize("rule", ["json:$.error", "xpath:/error"])
def test_an_answer_that_cannot_be_searched_for_a_refusal_is_unclear(rule: str) -> None:
    assert isinstance(outcome_of(answer("OK <b>"), ok="contains:OK", fail=rule), Ambiguous)


def test_an_empty_answer_says_nothing_against_a_yes() -> None:
    assert isinstance(outcome_of(answer("", 204), ok="status:204", fail="json:$.error"), Accepted)


# What an answer means

FAILS = {"ok": "json:$.ok = true", "fail": "json:$.error", "error": "json:$.error"}
MEANT = "1 = refused\n2 = refused_here\n3 = refused_for_now\n4 = gateway_fault\n5 = credentials_refused"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("1", Refused), ("2", RefusedHere), ("3", RefusedForNow), ("4", GatewayFault), ("5", CredentialsRefused)],
)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
def test_a_named_error_means_what_the_settings_say_whatever_the_status(
    code: str, kind: type[NotAccepted], status: int
) -> None:
    outcome = outcome_of(answer({"error": code}, status), error_map=MEANT, **FAILS)

    assert type(outcome) is kind
    assert f"({code})" in outcome.reason


def test_an_operator_reads_the_words_that_the_settings_name() -> None:
    outcome = outcome_of(answer({"error": "Who are YOU"}), error_map="who are you = credentials_refused", **FAILS)

    assert isinstance(outcome, CredentialsRefused)
    assert "(Who are YOU)" in outcome.reason
    assert outcome.remedy


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Refused),
        (404, Refused),
        (401, CredentialsRefused),
        (403, CredentialsRefused),
        (429, RefusedForNow),
        (503, RefusedForNow),
        (500, Ambiguous),
        (502, Ambiguous),
    ],
)
def test_any_other_error_means_what_its_status_allows(status: int, kind: type[NotAccepted]) -> None:
    assert type(outcome_of(answer({"error": "other"}, status), error_map=MEANT, **FAILS)) is kind


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialsRefused), (403, CredentialsRefused), (503, RefusedForNow)]
)
def test_a_page_in_front_of_the_api_is_understood_by_its_status(status: int, kind: type[NotAccepted]) -> None:
    assert type(outcome_of(answer("<h1>No</h1>", status), **FAILS)) is kind


def test_a_status_that_may_be_a_yes_is_no_refused_login() -> None:
    assert isinstance(outcome_of(answer("OK", 403), ok="contains:OK", ok_http="200-299, 403"), Accepted)


def test_every_rule_for_a_yes_must_hold() -> None:
    both = {"ok": "contains:OK\nstatus:202"}

    assert isinstance(outcome_of(answer("OK", 202), **both), Accepted)
    assert isinstance(outcome_of(answer("OK", 200), **both), Ambiguous)
    assert isinstance(outcome_of(answer("no", 202), **both), Ambiguous)
    assert isinstance(outcome_of(answer("OK", 302), ok="contains:OK"), Ambiguous)


def test_a_reference_alone_is_a_yes_and_its_lack_is_unclear() -> None:
    assert outcome_of(answer({"id": 7}), reference="json:$.id") == Accepted("7")
    assert isinstance(outcome_of(answer({"id": None}), reference="json:$.id"), Ambiguous)


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    outcome = outcome_of(answer("slow down", 429, retry_after="7"), ok="contains:OK")

    assert isinstance(outcome, RefusedForNow)
    assert outcome.retry_after == 7


@pytest.mark.parametrize(
    "echoed", ["bad number +79161234567", "79161234567", "Your code is 1234", "s3cret-key", "x" * 41]
)
def test_an_operator_sees_a_code_and_never_what_the_provider_repeats(echoed: str) -> None:
    outcome = outcome_of(answer({"error": echoed}), api_key="s3cret-key", **FAILS)

    assert isinstance(outcome, Refused)
    assert outcome.reason == "the provider refuses the message"


# Receipts and what guests write


def test_what_it_can_do_follows_from_the_settings() -> None:
    by_status = {"status_url": "https://h.example/{{id}}", "status": "json:$.s", "status_map": "1 = delivered"}
    by_call = {"callback_id": "id", "callback_status": "s", "status_map": "1 = delivered"}

    def able(**settings: Any) -> tuple[bool, ...]:
        one = provider(**{"ok": "contains:OK", **settings})
        return one.dedupe_key, one.sends_receipts, one.can_query, one.reports_by_key

    assert able() == (False, False, False, False)
    assert able(repeat_is_safe=True) == (True, False, False, False)
    assert able(**by_status) == (False, True, True, True)
    assert able(**by_call) == (False, True, False, True)
    assert able(**by_call, reference="json:$.id") == (False, True, False, False)


def test_a_state_belongs_to_the_message_that_was_asked_about() -> None:
    gateway = provider(
        ok="contains:OK", status_url="https://h.example/{{id}}", status="json:$.s", status_map="7 = delivered"
    )
    gateway.query([SentSms("portal-1", 1, "+79161234567", "ref-1")])

    assert gateway.read_query(answer({"s": 7})) == [Receipt("ref-1", ReceiptState.DELIVERED, detail="7")]
    assert gateway.read_query(answer({"s": 8})) == [Receipt("ref-1", ReceiptState.PENDING, detail="8")]
    with pytest.raises(Unreadable):
        gateway.read_query(answer({"s": None}))
    with pytest.raises(CredentialsRefused):
        gateway.read_query(answer({"s": 7}, 401))
    with pytest.raises(Unreadable):
        gateway.read_query(answer({"s": 7}, 500))


CALLS = {
    "ok": "contains:OK",
    "encoding": "windows-1251",
    "callback_id": "id",
    "callback_status": "$.state",
    "callback_from": "from",
    "callback_text": "text",
    "status_map": "7 = delivered",
    "callback_reply": "ACK/Jasmin",
}


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("id=1&state=7", b"", [Receipt("1", ReceiptState.DELIVERED, detail="7")]),
        ("", b"id=1&state=7", [Receipt("1", ReceiptState.DELIVERED, detail="7")]),
        ("id=1", b'{"state": 7}', [Receipt("1", ReceiptState.DELIVERED, detail="7")]),
        ("", b"from=%2B7916&text=%CF%F0%E8%E2%E5%F2&id=in1", [InboundSms("+7916", "Привет", "in1")]),
        ("id=1", b"", []),
        ("", b"[" * 50_000, []),
        ("", b'[{"id": 1, "state": 7}, null, [7]]', [Receipt("1", ReceiptState.DELIVERED, detail="7")]),
        ("&".join(f"a{n}=1" for n in range(1001)) + "&id=1&state=7", b"", []),
    ],
)
def test_a_call_is_read_by_the_names_in_the_settings(query: str, body: bytes, said: list[Receipt | InboundSms]) -> None:
    callback = Callback("POST", f"https://portal.example.org/c/?{query}", {}, body)

    assert provider(**CALLS).read_callback(callback) == said
    assert provider(**CALLS).callback_reply(callback, said).body == "ACK/Jasmin"


def test_a_provider_that_is_not_said_to_call_is_turned_away() -> None:
    with pytest.raises(BadCallback):
        provider(ok="contains:OK").read_callback(Callback("GET", "https://portal.example.org/c/?id=1&state=7"))
