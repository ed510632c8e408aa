"""Statements that come with every request: PostgreSQL parses and plans each once per connection, not once per call."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

#: Seconds for which a connection that answered is taken for one that lives.
LATELY = 1.0


class _Prepared(psycopg.Cursor[Any]):
    """A cursor whose statements are prepared the first time, and whose values are never written into the text."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "_Prepared":
        # Django switches this off for the whole connection, because the ORM's statements differ each time.
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, **{**options, "prepare": True})
        finally:
            self.connection.prepare_threshold = None


def fetch(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that the statement gives. Raises Django's database errors."""
    # What `django.db.connection` stands for: it looks that up anew for every word.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        database.close_if_health_check_failed()
        database.ensure_connection()
        # As `connection.cursor()` does, whose own cursors write values into the text: who watches statements sees it.
        cursor = database._prepare_cursor(_Prepared(database.connection))
    else:
        cursor = database.cursor()
    with cursor:
        cursor.execute(sql, values)
        rows = list(cursor.fetchall())
    database.answered_at = time.monotonic()
    return rows


def answered_lately() -> bool:
    """Whether this thread's connection need not be looked after: it lived a moment ago. From now on nobody does."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    lives: bool = (
        database.connection is not None and time.monotonic() - getattr(database, "answered_at", -LATELY) < LATELY
    )
    if lives:
        database.health_check_done = True
    return lives


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
