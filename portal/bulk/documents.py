"""Rows on their way to the database as one JSON document, which both databases read as rows again: PostgreSQL with
`json_to_recordset`, SQLite with `json_each`.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    Column = models.Field[Any, Any]


def table(columns: "Sequence[Column]") -> str:
    """`given` in SQL, with the columns v0, v1, …; its one parameter is a document."""
    if connection.vendor == "sqlite":
        read = ", ".join(f"json_extract(value, '$[{place}]') AS v{place}" for place in range(len(columns)))
        return f"(SELECT {read} FROM json_each(%s)) AS given"  # noqa: S608 — names only
    typed = ", ".join(f"v{place} {column.db_type(connection)}" for place, column in enumerate(columns))
    return f"json_to_recordset(%s) AS given({typed})"


def document(rows: Sequence[Sequence[Any]]) -> str:
    """These rows, with values as the database holds them."""
    if connection.vendor == "sqlite":
        return json.dumps(rows, ensure_ascii=False)
    names = [f"v{place}" for place in range(len(rows[0]))]
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    return json.dumps(objects, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON has no word for, as PostgreSQL reads it: a document inside the document, and points in time."""
    return value.obj if isinstance(value, Jsonb) else str(value)
