"""`/getsms/` of SMSmobileAPI: what people wrote to us."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateways.models import Gateway
from messaging.dropin.smsmobileapi import lists
from messaging.guids import guid_of
from messaging.models import InboundMessage
from portal.models import AuditEvent, User
from tests.messaging.programs import PHONE, both_methods, call, key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def wrote(gateway: Gateway, text: str, at: datetime = NOW) -> InboundMessage:
    return InboundMessage.objects.create(
        gateway=gateway, phone=PHONE, text=text, fingerprint=text, at=at - timedelta(seconds=1), received_at=at
    )


def received(user: User, method: str = "GET", **fields: Any) -> list[dict[str, Any]]:
    answer = call("/getsms/", method, apikey=key_of(user), **fields)
    assert (answer.status_code, answer.json()["result"]["error"]) == (200, ""), answer.content
    rows: list[dict[str, Any]] = answer.json()["result"]["sms"]
    return rows


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["message"] for row in rows]


@both_methods
def test_rows_are_as_documented(sandbox: Gateway, auditor: User, method: str) -> None:
    row = wrote(sandbox, "STOP")
    assert received(auditor, method) == [
        {
            "id": row.pk, "sIdentifiantPhone": "sandbox", "timestamp_unix": int(NOW.timestamp()),
            "date": "2026-11-22", "hour": "15:00:00", "time_received": "2026-11-22 14:59:59", "message": "STOP",
            "number": PHONE, "guid": guid_of(row.pk, "received"), "alias": None,
        }
    ]  # fmt: skip
    assert not AuditEvent.objects.exists()


def test_after_a_moment_the_oldest_first(sandbox: Gateway, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    for number in range(4):
        wrote(sandbox, str(number), NOW + timedelta(seconds=number))
    assert texts(received(auditor)) == ["2", "3"]
    assert texts(received(auditor, after_timestamp_unix=int(NOW.timestamp()))) == ["1", "2"]
    assert texts(received(auditor, after_timestamp_unix=int(NOW.timestamp()) + 2)) == ["3"]


def test_what_was_read_is_not_unread_any_more_for_its_reader(sandbox: Gateway, auditor: User, admin: User) -> None:
    wrote(sandbox, "first")
    assert texts(received(auditor, onlyunread="yes")) == ["first"]
    wrote(sandbox, "second")
    assert texts(received(auditor, onlyunread="yes")) == ["second"]
    assert texts(received(auditor, onlyunread="yes")) == []
    assert texts(received(auditor)) == ["first", "second"]
    assert texts(received(admin, onlyunread="yes")) == ["first", "second"]


def test_more_unread_than_one_answer_holds_come_one_answer_after_the_other(
    sandbox: Gateway, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    for number in range(3):
        wrote(sandbox, str(number))
    assert [texts(received(auditor, onlyunread="yes")) for _ in range(3)] == [["0", "1"], ["2"], []]


def test_of_one_phone_and_of_the_gateways_of_the_key(sandbox: Gateway, auditor: User) -> None:
    hotel = Gateway.objects.create(name="hotel", provider="sandbox")
    wrote(sandbox, "here")
    wrote(hotel, "there")
    assert texts(received(auditor, sIdentifiantPhone="hotel")) == ["there"]
    answer = call("/getsms", apikey=key_of(auditor, gateways=[hotel.pk]))
    assert texts(answer.json()["result"]["sms"]) == ["there"]


def test_it_needs_the_right_to_read_messages(operator: User) -> None:
    answer = call("/getsms", apikey=key_of(operator))
    assert (answer.status_code, answer.json()["error"]) == (403, 403)
    assert "MESSAGES_READ" in answer.json()["message"]


def test_a_moment_that_is_none_is_400(auditor: User) -> None:
    answer = call("/getsms", apikey=key_of(auditor), after_timestamp_unix="now")
    assert (answer.status_code, answer.json()["message"][:21]) == (400, "after_timestamp_unix:")
