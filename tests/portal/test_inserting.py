"""Many rows that are alike but for a few columns, stored by one statement; the same on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from portal.bulk import inserting
from portal.bulk.inserting import insert_copies
from portal.models import AuditEvent, User

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
#: What a database could take for something else.
TEXTS = [
    "", " ", "plain", "Привет", "🙂", "a'b", 'a"b', "a\\b", "a\\nb", "a\nb\tc\r", "100 % {} %s %(x)s", "null", "[1]",
    "\u2028", "\x7f", "';--",
]  # fmt: skip


def event(**values: Any) -> AuditEvent:
    return AuditEvent(**{"action": "x", "status": 200, "request": {"a": [1, None, "ы"]}} | values)


@pytest.fixture(autouse=True)
def _one_moment() -> Iterator[None]:
    """An event is of the moment in which it is stored."""
    with time_machine.travel(AT, tick=False):
        yield


def test_each_row_is_a_copy_with_its_own_values(admin: User) -> None:
    insert_copies(event(user=admin, address="127.0.0.1"), ("action", "status"), [("one", 201), ("two", 422)])
    first, second = AuditEvent.objects.order_by("pk")
    assert [(row.action, row.status) for row in (first, second)] == [("one", 201), ("two", 422)]
    for row in (first, second):
        assert (row.user, row.address, row.at, row.request) == (admin, "127.0.0.1", AT, {"a": [1, None, "ы"]})
        assert (row.changes, row.path) == ({}, "")


def test_it_is_what_the_framework_stores(admin: User) -> None:
    event(user=admin, action="one").save(force_insert=True)
    insert_copies(event(user=admin), ("action",), [("one",)])
    theirs, ours = AuditEvent.objects.order_by("pk").values()
    assert theirs | {"id": 0} == ours | {"id": 0}


def test_any_text_is_stored_as_it_is() -> None:
    insert_copies(event(), ("user_name",), [(text,) for text in TEXTS])
    assert list(AuditEvent.objects.order_by("pk").values_list("user_name", flat=True)) == TEXTS


def test_nothing_is_a_value_too(admin: User) -> None:
    insert_copies(event(), ("user", "action"), [(None, "one"), (admin.pk, "two")])
    assert list(AuditEvent.objects.order_by("pk").values_list("user", "action")) == [(None, "one"), (admin.pk, "two")]


def test_they_keep_their_order_beyond_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserting, "SOME", 10)
    with CaptureQueriesContext(connection) as queries:
        insert_copies(event(), ("status",), [(number,) for number in range(25)])
    assert sum(query["sql"].startswith("INSERT") for query in queries) == 3
    assert list(AuditEvent.objects.order_by("pk").values_list("status", flat=True)) == list(range(25))


def test_the_keys_are_told_by_what_is_a_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserting, "SOME", 2)
    made = insert_copies(event(), ("user_name",), [("c",), ("a",), ("b",)], known_by="user_name")
    assert made == dict(AuditEvent.objects.values_list("user_name", "pk"))
    assert insert_copies(event(), ("user_name",), [], known_by="user_name") == {}


def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_copies(event(), ("status",), [])
    assert not [query for query in queries if query["sql"].startswith("INSERT")]


def test_what_the_database_refuses_stores_none_of_them() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        insert_copies(event(), ("status",), [(200,), (None,), (201,)])
    assert not AuditEvent.objects.exists()


def test_a_row_that_is_too_short_is_an_error_and_no_shift() -> None:
    with pytest.raises((ValueError, DatabaseError)), transaction.atomic():
        insert_copies(event(), ("status", "action"), [(200,)])
    assert not AuditEvent.objects.exists()
