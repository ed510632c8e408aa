"""Statements that come with every request: PostgreSQL parses and plans each once per connection, not once per call."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections


class _Prepared(psycopg.Cursor[Any]):
    """A cursor whose statements are prepared the first time, and whose values are never written into the text."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "_Prepared":
        return super().execute(query, params, **{**options, "prepare": True})


def fetch(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that the statement gives. Raises Django's database errors."""
    # What `django.db.connection` stands for: it looks that up anew for every word.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())
    database.close_if_health_check_failed()
    database.ensure_connection()
    # As `connection.cursor()` does, whose own cursors write values into the text: watchers of statements see this one.
    with database._prepare_cursor(_Prepared(database.connection)) as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def ask(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The same for what may be asked twice: the first statement of a request finds out whether the connection lives."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.in_atomic_block or database.health_check_done or database.connection is None:
        return fetch(sql, values)
    database.health_check_done = True
    try:
        return fetch(sql, values)
    except (InterfaceError, OperationalError):
        database.close()
        return fetch(sql, values)
