"""One UPDATE for many rows of which each gets values of its own: the ORM has only one for the same values, or CASEs."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, connections, models

from portal import statements
from portal.bulk import documents
from portal.bulk.columns import AS_THEY_ARE, column, sql_name, sql_table

if TYPE_CHECKING:
    Column = models.Field[Any, Any]


def update_each(
    model: type[models.Model],
    keys: Sequence[int],
    *,
    each: Mapping[str, Sequence[Any]] | None = None,
    all_to: Mapping[str, Any] | None = None,
    where_each: Mapping[str, Sequence[Any]] | None = None,
    where_in: Mapping[str, Collection[Any]] | None = None,
    where_after: Mapping[str, Any] | None = None,
) -> set[int]:
    """Changes the rows with these primary keys, and gives the keys of those that it found as they had to be.

    `each` names fields with one value per key, `all_to` fields with one value for all. A row is left alone unless each
    field of `where_each` has its own value there, each of `where_in` one of some, and each of `where_after` a greater
    one. Give the keys sorted, so that two callers never hold what the other waits for.
    """
    if not keys:
        return set()
    own, same, expected = each or {}, all_to or {}, where_each or {}
    some, bounds = where_in or {}, where_after or {}
    given = [*own.items(), *expected.items()]
    columns = [model._meta.pk, *(column(model, name) for name, _values in given)]
    stored = [
        _in_document(column, values) for column, (_name, values) in zip(columns, [("pk", keys), *given], strict=True)
    ]
    rows = list(zip(*stored, strict=True))

    changes = [f"{sql_name(model, name)} = given.v{place}" for place, name in enumerate(own, 1)]
    changes += [f"{sql_name(model, name)} = %s" for name in same]
    conditions = [f"{sql_name(model, name)} = given.v{place}" for place, name in enumerate(expected, 1 + len(own))]
    conditions += [f"{sql_name(model, name)} IN ({', '.join(['%s'] * len(some[name]))})" for name in some]
    conditions += [f"{sql_name(model, name)} > %s" for name in bounds]
    key = sql_name(model, "pk")
    statement = (
        f"UPDATE {sql_table(model)} SET {', '.join(changes)} FROM {documents.table(columns)} "  # noqa: S608 — names only
        f"WHERE {' AND '.join([f'{key} = given.v0', *conditions])} RETURNING {key}"
    )
    values = [
        *(_stored(column(model, name), value) for name, value in same.items()),
        documents.document(rows),
        *(_stored(column(model, name), value) for name, values in some.items() for value in values),
        *(_stored(column(model, name), value) for name, value in bounds.items()),
    ]
    return {row[0] for row in statements.fetch(statement, values)}


def _in_document(field: "Column", values: Sequence[Any]) -> list[Any]:
    """As the database holds them; numbers and short texts it holds as they are, and there are thousands of them."""
    if type(field) in AS_THEY_ARE:
        return list(values)
    # The connection itself: `django.db.connection` looks for it anew at every question.
    real = connections[connection.alias]
    return [field.get_db_prep_save(value, real) for value in values]


def _stored(field: "Column", value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
