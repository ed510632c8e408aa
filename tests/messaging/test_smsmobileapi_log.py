"""`/log/sent/sms/` of SMSmobileAPI."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from messaging.dropin.smsmobileapi import lists
from messaging.guids import guid_of
from messaging.models import Message, State
from messaging.retries import Kind
from portal.models import AuditEvent, User
from tests.messaging.conftest import Send
from tests.messaging.programs import PHONE, both_methods, call, key_of


def log(user: User, method: str = "GET", **fields: Any) -> list[dict[str, Any]]:
    answer = call("/log/sent/sms/", method, apikey=key_of(user), **fields)
    assert (answer.status_code, answer.json()["result"]["error"]) == (200, ""), answer.content
    rows: list[dict[str, Any]] = answer.json()["result"]["sms"]
    return rows


@pytest.fixture
def own(send: Send, operator: User) -> Send:
    """Accepts a message of the operator's, in this state."""

    def accept(state: State = State.DELIVERED, reason: str = "", **said: Any) -> Message:
        message = send(**said)
        Message.objects.filter(pk=message.pk).update(requested_by=operator, state=state, reason=reason)
        return Message.objects.get(pk=message.pk)

    return accept


@both_methods
@pytest.mark.parametrize(
    ("state", "reason", "sent", "of_mobile", "of_api"),
    [
        (State.QUEUED, "", "0", "", ""),
        (State.HELD, "the gateway is paused", "0", "", ""),
        (State.UNKNOWN, "no answer", "0", "", ""),
        (State.UNRESOLVED, "no answer", "0", "", ""),
        (State.SUBMITTED, "", "1", "", ""),
        (State.DELIVERED, "", "1", "", ""),
        (State.NO_RECEIPT, "", "1", "", ""),
        (State.UNDELIVERED, "wrong number", "0", "wrong number", ""),
        (State.EXPIRED, "", "0", "expired", ""),
        (State.FAILED, "no route", "0", "", "no route"),
        (State.CANCELLED, "", "0", "", "cancelled"),
        (State.LAPSED, "too late", "0", "", "too late"),
        (State.SUPPRESSED, "opted out", "0", "", "opted out"),
    ],
)
def test_a_row_says_where_the_message_is(
    own: Send, operator: User, method: str, state: State, reason: str, sent: str, of_mobile: str, of_api: str
) -> None:
    message = own(state, reason)
    (row,) = log(operator, method)
    assert (row["guid"], row["number"], row["message"]) == (guid_of(message.pk), PHONE, "Привет")
    assert (row["send_from_mobile"], row["state"], row["sIdentifiantPhone"]) == (sent, state, "sandbox")
    assert (row["send_from_mobile_erreur"], row["error_api"]) == (of_mobile, of_api)
    assert not AuditEvent.objects.exists()


def test_own_messages_only_and_all_to_whoever_may_read_them(
    own: Send, send: Send, operator: User, auditor: User
) -> None:
    mine, other = own(), send()
    assert [row["guid"] for row in log(operator)] == [guid_of(mine.pk)]
    assert [row["guid"] for row in log(auditor)] == [guid_of(other.pk), guid_of(mine.pk)]


def test_for_a_key_of_other_gateways_they_are_not_there(own: Send, operator: User) -> None:
    own()
    elsewhere = Gateway.objects.create(name="elsewhere", provider="sandbox")
    answer = call("/log/sent/sms", apikey=key_of(operator, gateways=[elsewhere.pk]))
    assert answer.json()["result"]["sms"] == []


def test_texts_with_a_secret_are_shown_as_people_may_read_them(own: Send, operator: User) -> None:
    own(text="password 12345678", kind=Kind.CREDENTIALS)
    assert log(operator)[0]["message"] == ""


def test_one_message_by_its_guid(own: Send, operator: User) -> None:
    first, _second = own(), own()
    assert [row["guid"] for row in log(operator, guid_message=guid_of(first.pk))] == [guid_of(first.pk)]
    assert log(operator, guid_message="unknown") == []


def test_by_a_phone_or_by_words_of_the_text(own: Send, operator: User) -> None:
    first, second = own(text="Связь есть"), own(phone="+79161234568", text="Связи нет")
    for keyword in ("+7 916 123-45-67", "4567", "связь"):
        assert [row["guid"] for row in log(operator, keyword=keyword)] == [guid_of(first.pk)], keyword
    assert len(log(operator, keyword="свя")) == 2
    assert log(operator, keyword="nothing") == []
    assert second.phone in {row["number"] for row in log(operator)}


def test_by_where_the_error_is(own: Send, operator: User) -> None:
    states = {own(state).pk: state for state in (State.DELIVERED, State.FAILED, State.UNDELIVERED)}

    def found(**fields: str) -> set[str]:
        return {row["state"] for row in log(operator, **fields)}

    assert found(error_api="1") == {"failed"}
    assert found(error_mobile="1") == {"undelivered"}
    assert found(error_api="0") == {"delivered", "undelivered"}
    assert found(error_api="0", error_mobile="0") == {"delivered"}
    assert found(error_api="") == set(states.values())


def test_page_by_page_before_a_guid_or_a_time(own: Send, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    guids = [guid_of(own().pk) for _ in range(3)][::-1]
    assert [row["guid"] for row in log(operator)] == guids[:2]
    assert [row["guid"] for row in log(operator, before=guids[1])] == guids[2:]
    hour_ago = timezone.now() - timedelta(hours=1)
    assert log(operator, before=str(int(hour_ago.timestamp()))) == []
    Message.objects.update(created=hour_ago - timedelta(seconds=2))
    assert len(log(operator, before=str(int(hour_ago.timestamp())))) == 2


@pytest.mark.parametrize("before", ["yesterday", "9" * 60])
def test_before_what_is_no_time_is_400(operator: User, before: str) -> None:
    answer = call("/log/sent/sms/", apikey=key_of(operator), before=before)
    assert (answer.status_code, answer.json()["message"][:7]) == (400, "before:")


def test_strangers_read_nothing(own: Send) -> None:
    own()
    assert call("/log/sent/sms/").status_code == 403
