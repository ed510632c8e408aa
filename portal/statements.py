"""Statements that come with every request: PostgreSQL parses and plans each once per connection, not once per call."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection


class _Prepared(psycopg.Cursor[Any]):
    """A cursor whose statements are prepared the first time, and whose values are never written into the text."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "_Prepared":
        return super().execute(query, params, **{**options, "prepare": True})


def fetch(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that the statement gives. Raises Django's database errors."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # As `connection.cursor()` does, whose own cursors write values into the text: watchers of statements see this one.
    prepared = connection._prepare_cursor(_Prepared(connection.connection))  # type: ignore[attr-defined]
    with prepared as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def ask(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The same for what may be asked twice: the first statement of a request finds out whether the connection lives."""
    checked: Any = connection
    if connection.in_atomic_block or checked.health_check_done or connection.connection is None:
        return fetch(sql, values)
    checked.health_check_done = True
    try:
        return fetch(sql, values)
    except (InterfaceError, OperationalError):
        connection.close()
        return fetch(sql, values)
