"""Which of thousands of values a table has; the ORM would name each of them in its statement."""

from collections.abc import Collection
from typing import Any

from django.db import connection, models

from portal.bulk import documents


def among(model: type[models.Model], name: str, values: Collection[Any]) -> set[Any]:
    """Those of the values that some row has in this field; texts and numbers, as the database holds them."""
    if not values:
        return set()
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 — only what is stored has a value
    quoted = connection.ops.quote_name
    table, column = quoted(model._meta.db_table), quoted(str(field.column))
    given = f"SELECT given.v0 FROM {documents.table([field])}"  # noqa: S608 — names only
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {table} WHERE {column} IN ({given})",  # noqa: S608 — names only
            [documents.document([(value,) for value in values])],
        )
        return {row[0] for row in cursor.fetchall()}
