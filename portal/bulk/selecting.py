"""Which of thousands of values a table has; the ORM would name each of them in its statement."""

from collections.abc import Collection
from typing import Any

from django.db import connection, models

from portal.bulk import documents
from portal.bulk.columns import column, sql_name, sql_table


def among(model: type[models.Model], name: str, values: Collection[Any]) -> set[Any]:
    """Those of the values that some row has in this field; texts and numbers, as the database holds them."""
    if not values:
        return set()
    table, own = sql_table(model), sql_name(model, name)
    given = f"SELECT given.v0 FROM {documents.table([column(model, name)])}"  # noqa: S608 — names only
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {own} FROM {table} WHERE {own} IN ({given})",  # noqa: S608 — names only
            [documents.document([(value,) for value in values])],
        )
        return {row[0] for row in cursor.fetchall()}
