"""How a request's body is read."""

import contextlib
import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.lenient_json import BadBody, read_object
from portal.models import AuditEvent, User
from tests.conftest import Api


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b" \n", {}),
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1,}', {"a": 1}),
        (b'{"a": [1, 2,\n\t],\n}', {"a": [1, 2]}),
        (b'{"a": ",}", "b": "\\",]",}', {"a": ",}", "b": '",]'}),
        (b'{"a": "\\\\",}', {"a": "\\"}),
        ('{"a": "привет 🙂"}'.encode(), {"a": "привет 🙂"}),
        (b'{"a": "\\ud83d\\ude42"}', {"a": "🙂"}),
        (b'{"a": 1.5e3, "b": null, "c": true}', {"a": 1500.0, "b": None, "c": True}),
    ],
)
def test_it_reads_an_object_and_forgives_a_trailing_comma(body: bytes, value: dict[str, Any]) -> None:
    assert read_object(body) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1,\n "b": 2,\n c}', "line 3, column 2"),
        (b'{"a": 1,\n "b" 2,\n}', "line 2, column 6"),
        (b'{"a": [1,,]}', "line 1, column"),
        (b"{,}", "line 1, column 2"),
        (b'{"a": [,]}', "line 1, column 8"),
        (b'{"a": 1} x', "line 1, column 10"),
        (b'{"a": "x\ny"}', "line 1, column 9"),
        (b'{"a": "x', "starting at line 1, column 7."),
        (b'{"a" 1}', "delimiter, line 1, column 6."),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": "\x00"}', "line 1, column 8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": 1, "a": 2}', "'a' appears twice"),
        (b'{"a": {"b": 1, "b": 2,},}', "'b' appears twice"),
        (b"[1]", "must be a JSON object"),
        (b'"a"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": "\xff"}', "not UTF-8 (byte 8)"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'{"a": ["\\ud800"]}', "surrogate"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_it_says_what_is_wrong_with_a_body(body: bytes, said: str) -> None:
    with pytest.raises(BadBody) as error:
        read_object(body)
    assert said in error.value.reason
    assert error.value.status_code == 400


@pytest.mark.parametrize(
    "unit",
    ["{},", "[],", '{"a":1},', '"ab",', '"\\"",', "1,", "1.5,", '{"ab":"cd"},', "[[]],", "null,", '"",'],
)
def test_no_body_takes_many_times_its_size(unit: str) -> None:
    body = b'{"a": [' + unit.encode() * (20 * 2**20 // len(unit)) + b"1]}"
    tracemalloc.start()
    try:
        with pytest.raises(BadBody) as error:
            read_object(body)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 200000 values" in error.value.reason
    assert peak < 5 * len(body)


@pytest.mark.parametrize("text", ["{[," * 200, '\\"' * 200, "ы, " * 300, "🙂" * 300])
def test_ten_thousand_texts_are_read_whatever_is_in_them(text: str) -> None:
    value = {"a": [{"a": text, "b": str(number), "c": "d"} for number in range(10_000)]}
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[],":\\ \n1aт', max_size=40).map(str.encode))
def test_no_body_makes_it_fail_in_another_way(body: bytes) -> None:
    with contextlib.suppress(BadBody):
        assert isinstance(read_object(body), dict)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab,]}", max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text("ab,]}", max_size=3), JSON, max_size=4))
def test_what_is_valid_is_read_as_it_is(value: dict[str, Any]) -> None:
    assert read_object(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text("ab,]}", min_size=1, max_size=3), JSON, min_size=1, max_size=4))
def test_a_trailing_comma_changes_nothing(value: dict[str, Any]) -> None:
    assert read_object(json.dumps(value, indent=1).encode()[:-1] + b" ,\n}") == value


@pytest.mark.parametrize("unit", [b'\\"', b",", b"[,", b'",', b"{", b", "])
def test_hostile_bodies_cost_little(unit: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadBody):
        read_object(b'{"a": "' + unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 5


@pytest.mark.urls("tests.portal.routes")
def test_malformed_json_is_400_with_its_place(api: Api, admin: User) -> None:
    answer = api(admin).generic("POST", "/api/v1/members", '{"name":\n x}', content_type="text/plain")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Bad Request. ")
    assert "line 2, column 2" in answer.json()["message"]
    assert answer.json()["status"] == 400
    assert AuditEvent.objects.get().status == 400


@pytest.mark.urls("tests.portal.routes")
def test_a_body_over_the_limit_is_413(api: Api, admin: User) -> None:
    body = b'{"name": "' + b"m" * 2_000_000 + b'"}'
    answer = api(admin).generic("POST", "/api/v1/members", body.decode(), content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


@pytest.mark.urls("tests.portal.routes")
@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=x", "a" * 300, "x/y; charset=*"]
)
def test_the_content_type_does_not_matter(api: Api, admin: User, content_type: str) -> None:
    answer = api(admin).generic("POST", "/api/v1/members", '{"name": "mia",}', content_type=content_type)
    assert answer.status_code == 201


@pytest.mark.urls("tests.portal.routes")
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ""])
def test_the_answer_is_json_whatever_is_asked_for(api: Api, admin: User, accept: str) -> None:
    answer = api(admin).get("/api/v1/members?format=xml", HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
