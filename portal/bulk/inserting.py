"""Storing thousands of rows that are alike but for a few columns; the ORM would make an object of each, and name every
column of each in its statement.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction

from portal import statements
from portal.bulk import documents
from portal.bulk.columns import column, sql_name, sql_table

if TYPE_CHECKING:
    Column = models.Field[Any, Any]

#: So many rows go into one statement: its document is in memory several times.
SOME = 2000


def insert_copies(
    template: models.Model, names: Sequence[str], rows: Sequence[Sequence[Any]], *, known_by: str = ""
) -> dict[Any, int]:
    """Stores a copy of `template` for each row, in this order; `names` are the fields in which they differ.

    Gives their primary keys by what is theirs alone in the field `known_by`, where it is named.

    The rows have what the database holds, as far as JSON can say it: an encrypted text is encrypted already. Nothing is
    checked but what the database checks, no signal is sent, and `template` itself is not stored.
    """
    model = type(template)
    own = [column(model, name) for name in names]
    same = [field for field in template._meta.concrete_fields if _is_stored(field) and field not in own]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in (*own, *same))
    given = ", ".join([*(f"given.v{place}" for place in range(len(own))), *["%s"] * len(same)])
    statement = f"INSERT INTO {sql_table(model)} ({columns}) SELECT {given} FROM {documents.table(own)}"  # noqa: S608 — names only
    constants = [field.get_db_prep_save(field.pre_save(template, add=True), connection) for field in same]
    with transaction.atomic(savepoint=False):
        parts = [rows[start : start + SOME] for start in range(0, len(rows), SOME)]
        return _run(template, statement, known_by, [[*constants, documents.document(part)] for part in parts])


def _run(template: models.Model, statement: str, known_by: str, parts: Sequence[Sequence[Any]]) -> dict[Any, int]:
    if not known_by:
        with connection.cursor() as cursor:
            for values in parts:
                cursor.execute(statement, values)
        return {}
    known, key = sql_name(type(template), known_by), sql_name(type(template), "pk")
    returning = f"{statement} RETURNING {known}, {key}"
    return {value: made for values in parts for value, made in statements.fetch(returning, values)}


def _is_stored(field: "Column") -> bool:
    return not field.primary_key and not getattr(field, "generated", False)
