"""One UPDATE for many rows of which each gets values of its own: the ORM has only one for the same values, or CASEs."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, connections, models

from portal import statements
from portal.bulk import documents

if TYPE_CHECKING:
    Column = models.Field[Any, Any]

#: What the database holds of these is what Python has; not so of kinds that are made of them, such as encrypted texts.
AS_THEY_ARE = {models.BigAutoField, models.CharField, models.PositiveIntegerField, models.PositiveSmallIntegerField}


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
    columns = [model._meta.pk, *(_column(model, name) for name, _values in given)]
    stored = [
        _in_document(column, values) for column, (_name, values) in zip(columns, [("pk", keys), *given], strict=True)
    ]
    rows = list(zip(*stored, strict=True))

    changes = [f"{_name(model, name)} = given.v{place}" for place, name in enumerate(own, 1)]
    changes += [f"{_name(model, name)} = %s" for name in same]
    conditions = [f"{_name(model, name)} = given.v{place}" for place, name in enumerate(expected, 1 + len(own))]
    conditions += [f"{_name(model, name)} IN ({', '.join(['%s'] * len(some[name]))})" for name in some]
    conditions += [f"{_name(model, name)} > %s" for name in bounds]
    key = _name(model, "pk")
    statement = (
        f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(changes)} FROM {documents.table(columns)} "  # noqa: S608 — names only
        f"WHERE {' AND '.join([f'{key} = given.v0', *conditions])} RETURNING {key}"
    )
    values = [
        *(_stored(_column(model, name), value) for name, value in same.items()),
        documents.document(rows),
        *(_stored(_column(model, name), value) for name, values in some.items() for value in values),
        *(_stored(_column(model, name), value) for name, value in bounds.items()),
    ]
    return {row[0] for row in statements.fetch(statement, values)}


def _in_document(column: "Column", values: Sequence[Any]) -> list[Any]:
    """As the database holds them; numbers and short texts it holds as they are, and there are thousands of them."""
    if type(column) in AS_THEY_ARE:
        return list(values)
    # The connection itself: `django.db.connection` looks for it anew at every question.
    real = connections[connection.alias]
    return [column.get_db_prep_save(value, real) for value in values]


def _stored(column: "Column", value: Any) -> Any:
    return column.get_db_prep_save(value, connection)


def _column(model: type[models.Model], name: str) -> "Column":
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 — only what is stored has a value
    return field


def _name(model: type[models.Model], name: str) -> str:
    return _quoted(str(_column(model, name).column))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
