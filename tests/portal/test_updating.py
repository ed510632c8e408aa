"""One UPDATE for many rows with values of their own means the same on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from gateways.models import Gateway
from messaging.models import Attempt, Message, State
from portal.bulk.updating import update_each

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 29, 9, 30, 15, 123456, tzinfo=UTC)
LATER = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)


def messages(gateway: Gateway, count: int, **values: Any) -> list[Message]:
    return [
        Message.objects.create(
            kind="information", priority=3, phone=f"+7916000000{number}", gateway=gateway, text=f"text {number}",
            encoding="GSM-7", segments=1, valid_until=LATER, **values,
        )
        for number in range(count)
    ]  # fmt: skip


def column(rows: list[Message], name: str) -> list[Any]:
    return [Message.objects.values_list(name, flat=True).get(pk=row.pk) for row in rows]


def keys(rows: list[Message]) -> list[int]:
    return [row.pk for row in rows]


def test_each_row_gets_its_own_value_and_all_get_the_same_in_one_statement(sandbox: Gateway) -> None:
    rows = messages(sandbox, 3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        done = update_each(
            Message, keys(rows), each={"reference": ["a", "b", ""]}, all_to={"state": State.CLAIMED, "lease_until": NOW}
        )
    assert len(queries) == 1
    assert done == set(keys(rows))
    assert column(rows, "reference") == ["a", "b", ""]
    assert column(rows, "state") == [State.CLAIMED] * 3
    assert column(rows, "lease_until") == [NOW] * 3


def test_other_rows_stay_as_they_are(sandbox: Gateway) -> None:
    first, second = messages(sandbox, 2)
    assert update_each(Message, [first.pk], each={"reason": ["why"]}) == {first.pk}
    assert column([first, second], "reason") == ["why", ""]


def test_without_keys_nothing_is_asked(sandbox: Gateway) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert update_each(Message, [], all_to={"reason": "why"}) == set()
    assert not len(queries)


def test_a_row_that_is_not_as_expected_is_left_alone_and_not_named(sandbox: Gateway) -> None:
    rows = messages(sandbox, 3, epoch=4)
    Message.objects.filter(pk=rows[1].pk).update(epoch=5)
    done = update_each(Message, keys(rows), each={"reference": ["a", "b", "c"]}, where_each={"epoch": [4, 4, 4]})
    assert done == {rows[0].pk, rows[2].pk}
    assert column(rows, "reference") == ["a", "", "c"]


def test_the_values_expected_may_differ_by_row(sandbox: Gateway) -> None:
    rows = messages(sandbox, 2)
    Message.objects.filter(pk=rows[1].pk).update(epoch=7)
    assert update_each(Message, keys(rows), all_to={"reason": "x"}, where_each={"epoch": [0, 7]}) == set(keys(rows))
    assert update_each(Message, keys(rows), all_to={"reason": "x"}, where_each={"epoch": [7, 0]}) == set()


def test_one_of_some_and_greater_than_are_conditions_too(sandbox: Gateway) -> None:
    rows = messages(sandbox, 3, lease_until=LATER)
    Message.objects.filter(pk=rows[0].pk).update(state=State.FAILED)
    Message.objects.filter(pk=rows[1].pk).update(lease_until=NOW)
    done = update_each(
        Message,
        keys(rows),
        all_to={"reason": "x"},
        where_in={"state": (State.QUEUED, State.HELD)},
        where_after={"lease_until": NOW},
    )
    assert done == {rows[2].pk}


def test_where_there_is_nothing_to_compare_with_nothing_is_changed(sandbox: Gateway) -> None:
    (row,) = messages(sandbox, 1, lease_until=None)
    assert update_each(Message, [row.pk], all_to={"reason": "x"}, where_after={"lease_until": NOW}) == set()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reason", ['it\'s "so" \\ 100% %s {0}', "Привет, Ёж 😀"]),
        ("lease_until", [NOW, None]),
        ("text", ["сначала\nпотом", None]),
        ("asked", [0, 32767]),
        ("only_here", [True, False]),
    ],
)
def test_values_of_every_kind_come_back_as_they_were(sandbox: Gateway, name: str, values: list[Any]) -> None:
    rows = messages(sandbox, 2)
    update_each(Message, keys(rows), each={name: values})
    assert column(rows, name) == values


def test_a_secret_is_encrypted_on_its_way(sandbox: Gateway) -> None:
    rows = messages(sandbox, 1)
    sent: list[str] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        sent.append(f"{sql} {values}")
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        update_each(Message, keys(rows), each={"text": ["the password is canary-17"]})
    assert len(sent) == 1
    assert "canary-17" not in sent[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM messaging_message")
        assert "canary-17" not in str(cursor.fetchall())


def test_documents_and_foreign_keys_are_stored_as_the_orm_stores_them(sandbox: Gateway) -> None:
    (message,) = messages(sandbox, 1)
    other = Gateway.objects.create(name="other", provider="sandbox")
    attempts = [Attempt.objects.create(message=message, gateway=sandbox, epoch=epoch, key="k") for epoch in (1, 2)]
    exchange = {"status": 200, "body": '{"id": "Ж"}', "headers": {"a": [1, None, True]}}
    update_each(
        Attempt, [one.pk for one in attempts], each={"exchange": [exchange, {}], "gateway": [other.pk, sandbox.pk]}
    )
    first, second = Attempt.objects.order_by("pk")
    assert (first.exchange, second.exchange) == (exchange, {})
    assert (first.gateway, second.gateway) == (other, sandbox)
    assert Attempt.objects.filter(exchange__status=200).count() == 1


def test_more_rows_than_a_statement_may_have_parameters(sandbox: Gateway) -> None:
    (pattern,) = messages(sandbox, 1)
    many = [Attempt(message=pattern, gateway=sandbox, epoch=epoch, key="k") for epoch in range(1, 3001)]
    made = Attempt.objects.bulk_create(many)
    details = [f"detail {number}" for number in range(3000)]
    assert len(update_each(Attempt, [one.pk for one in made], each={"detail": details})) == 3000
    assert set(Attempt.objects.values_list("detail", flat=True)) == set(details)


def test_a_value_that_the_column_refuses_raises(sandbox: Gateway) -> None:
    (row,) = messages(sandbox, 1)
    with pytest.raises(DatabaseError):
        update_each(Message, [row.pk], all_to={"state": "somewhere"})


def test_lists_of_different_length_are_a_mistake(sandbox: Gateway) -> None:
    rows = messages(sandbox, 2)
    with pytest.raises(ValueError, match="zip"):
        update_each(Message, keys(rows), each={"reason": ["one"]})
