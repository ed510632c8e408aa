"""Reading what providers send: forms of both kinds, charsets, money and moments, whatever is in them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
import time_machine

from gateways.http import Callback, amount_of, id_of, moment_of, objects_of, whole_of, written_moment_of
from gateways.outcomes import OutboundSms, Unreadable

IN_PARTS = "multipart/form-data; boundary=xYz"


def called(body: bytes, content_type: str = "application/x-www-form-urlencoded") -> Callback:
    return Callback("POST", "https://portal.example.org/callbacks/1/k/", {"content-type": content_type}, body)


def test_a_form_is_read_in_the_order_of_its_fields() -> None:
    callback = called("data%5B0%5D=а&hash=х&data%5B1%5D=".encode())
    assert callback.pairs == [("data[0]", "а"), ("hash", "х"), ("data[1]", "")]
    assert callback.form == {"data[0]": "а", "hash": "х", "data[1]": ""}


def test_a_form_in_windows_1251_is_read_too() -> None:
    assert called(f"mes={quote('Привет', encoding='windows-1251')}".encode()).form == {"mes": "Привет"}


def test_the_query_in_windows_1251_is_read_too() -> None:
    callback = Callback("GET", f"https://portal.example.org/?mes={quote('Привет', encoding='windows-1251')}")
    assert callback.query == {"mes": "Привет"}


def test_a_form_in_parts_is_read_as_php_sends_it() -> None:
    body = (
        '--xYz\r\nContent-Disposition: form-data; name="data[0]"\r\n\r\nsms_status\n1\n103\r\n'
        '--xYz\r\nContent-Disposition: form-data; name="text"\r\n\r\nПривет\r\n\r\nмир\r\n--xYz--\r\n'
    )
    assert called(body.encode(), IN_PARTS).pairs == [("data[0]", "sms_status\n1\n103"), ("text", "Привет\r\n\r\nмир")]


@pytest.mark.parametrize("body", [b"", b"--xYz", b"--xYz\r\n\r\n", b"--xYz--xYz--", b"\xff\xfe--xYz\r\nname=\r\n\r\n"])
def test_a_broken_form_in_parts_is_empty(body: bytes) -> None:
    assert called(body, IN_PARTS).pairs == []


@pytest.mark.parametrize(("value", "id_"), [(42, "42"), (" a-1 ", "a-1"), (None, ""), (True, ""), ([1], ""), ({}, "")])
def test_an_id_is_a_number_or_a_text(value: object, id_: str) -> None:
    assert id_of(value) == id_


@pytest.mark.parametrize(
    ("value", "number"),
    [(-3, -3), (" 7 ", 7), (None, None), (True, None), (1.5, None), ("x", None), ([], None)],
)
def test_a_whole_number_is_a_number_or_a_text(value: object, number: int | None) -> None:
    assert whole_of(value) == number


@pytest.mark.parametrize("value", [12.5, "12.5", Decimal("12.5")])
def test_money_is_read_however_it_is_spelled(value: object) -> None:
    assert amount_of(value) == Decimal("12.5")


@pytest.mark.parametrize("value", [None, "", "plenty", "NaN", "Infinity", [], {}, True])
def test_what_is_no_money_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        amount_of(value)


def test_a_moment_is_read_from_a_number_or_a_text() -> None:
    assert moment_of(1790000000) == moment_of("1790000000") == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", 0, "0", -5, 10**30, "21.09.2026", [], "9" * 5000])
def test_what_is_no_moment_is_none(value: object) -> None:
    assert moment_of(value) is None


@pytest.mark.parametrize(
    "value",
    [
        1790000000,
        "1790000000123",
        "20260921141320",
        "20260921141320123",
        "2026-09-21 14:13:20",
        "2026-09-21T14:13:20Z",
        "2026-09-21T17:13:20+03:00",
    ],
)
def test_a_moment_is_read_in_any_form(value: object) -> None:
    with time_machine.travel(datetime(2026, 9, 22, tzinfo=UTC), tick=False):
        assert written_moment_of(value) == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", 0, "yesterday", "2026-13-01", "9" * 17, [], {}, True])
def test_what_is_no_moment_in_any_form_is_none(value: object) -> None:
    assert written_moment_of(value) is None


def test_a_time_of_an_unknown_zone_that_would_be_in_the_future_is_none() -> None:
    with time_machine.travel(datetime(2026, 9, 21, 14, 0, tzinfo=UTC), tick=False):
        assert written_moment_of("2026-09-21 14:04:00")
        assert written_moment_of("2026-09-21 17:00:00") is None


@pytest.mark.parametrize(("value", "found"), [([{"a": 1}, 2, None], [{"a": 1}]), ({}, []), (None, []), ("x", [])])
def test_the_objects_of_a_list_are_read(value: object, found: list[dict[str, int]]) -> None:
    assert objects_of(value) == found


@pytest.mark.parametrize(("left", "minutes"), [(-60, 1), (0, 1), (600, 10), (10**6, 1440)])
def test_a_message_tells_for_how_many_minutes_it_is_worth_delivering(left: int, minutes: int) -> None:
    with time_machine.travel(datetime(2026, 9, 21, tzinfo=UTC), tick=False):
        sms = OutboundSms("k", "+79161234567", "Привет", "", datetime.now(UTC) + timedelta(seconds=left))
        assert sms.minutes_left(1440) == minutes
