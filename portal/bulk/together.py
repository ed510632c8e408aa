"""A row, its audit event and the answer that is kept for it, written together or not at all.

PostgreSQL does it in one statement, which is a transaction of its own and is on disk when it returns: one round trip
instead of six. SQLite does the same in a transaction; the same tests hold both.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, models, transaction
from django.db.models import Field, Model

from portal import statements, versions
from portal.bulk.columns import AS_THEY_ARE
from portal.models import AuditEvent, IdempotencyRecord


class KeyTaken(Exception):
    """Another request with the same key was first; nothing is written."""


class Hindered(Exception):
    """What must not be there is there; nothing is written."""


@dataclass(frozen=True)
class Unless:
    """Nothing is written where the table of `model` has a row with this value in this column."""

    model: type[Model]
    column: str
    value: object


def insert(row: Model, event: AuditEvent, record: IdempotencyRecord | None, mark: str, unless: Unless) -> None:
    """Writes them and gives the row its key. None of them may be stored yet.

    The row's key is what the event is about, unless that says it itself, and takes the place of `mark` in the answer
    that is kept. What was guessed of `portal.versions` is confirmed by writing. Raises KeyTaken, Hindered, also by a
    wrong guess, and Django's database errors.
    """
    write = _in_one_statement if connection.vendor == "postgresql" else _in_one_transaction
    row.pk = write(row, event, record, mark, unless)
    versions.found_true()
    row._state.adding, row._state.db = False, connection.alias


def _in_one_statement(
    row: Model, event: AuditEvent, record: IdempotencyRecord | None, mark: str, unless: Unless
) -> int:
    values: list[Any] = [unless.value]
    guess = versions.guess()
    if guess is not None:
        values.append(guess)
    if record is not None:
        values += [*_values(_LEFT_TO_ROW[IdempotencyRecord], record), record.answer, mark]
    values += [*_values(("id",), row), *_values(_LEFT_TO_ROW[AuditEvent], event), event.object_id]
    sql = _statement(type(row), unless.model, unless.column, with_record=record is not None, guessed=guess is not None)
    ((free, key),) = statements.fetch(sql, values)
    if free is None:
        raise Hindered
    if key is None:
        raise KeyTaken
    return int(key)


#: Columns that the database fills, or that depend on the row's key.
_LEFT_TO_ROW: dict[type[Model], tuple[str, ...]] = {
    AuditEvent: ("id", "object_id"),
    IdempotencyRecord: ("id", "answer"),
}


@cache
def _statement(model: type[Model], hindrance: type[Model], column: str, *, with_record: bool, guessed: bool) -> str:
    row, free = model._meta.db_table, hindrance._meta.db_table
    record = _insert(IdempotencyRecord, "answer", "replace(%s::text, %s, free.id::text)", "free")
    claim = f"claim AS ({record} ON CONFLICT (user_id, program, endpoint, key) DO NOTHING RETURNING id),"
    true = f"AND ({versions.NOW}) = %s"
    taken = "WHERE EXISTS (SELECT 1 FROM claim)"
    return f"""
WITH free AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('{row}', 'id')) AS id
    WHERE NOT EXISTS (SELECT 1 FROM {free} WHERE {column} = %s) {true if guessed else ""}
),
{claim if with_record else ""}
made AS ({_insert(model, "id", "free.id", "free")} {taken if with_record else ""} RETURNING id),
event AS ({_insert(AuditEvent, "object_id", "coalesce(nullif(%s, ''), made.id::text)", "made")})
SELECT (SELECT id FROM free), (SELECT id FROM made)
"""  # noqa: S608 — names of our own tables and columns


def _insert(model: type[Model], column: str, expression: str, source: str) -> str:
    """One row for each of the source, whose last column is worked out from it."""
    fields = _fields(model, _LEFT_TO_ROW.get(model, ("id",)))
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(f"%s::{_type(field)}" for field in fields)
    return f'INSERT INTO {model._meta.db_table} ({columns}, "{column}") SELECT {values}, {expression} FROM {source}'  # noqa: S608 — as above


def _type(field: "Field[Any, Any]") -> str:
    """Without its length: a cast would cut off what is too long, and the column refuses it."""
    return str(field.cast_db_type(connection)).partition("(")[0]


@cache
def _fields(model: type[Model], left_out: tuple[str, ...]) -> "list[Field[Any, Any]]":
    return [field for field in model._meta.concrete_fields if not field.generated and field.column not in left_out]


#: Those that the driver takes as they are, and what they hold then.
_PLAIN_FIELDS = AS_THEY_ARE | {models.DateTimeField}
_PLAIN_TYPES = frozenset({str, int, bool, datetime, type(None)})


@cache
def _plan(model: type[Model], left_out: tuple[str, ...]) -> "list[tuple[Field[Any, Any], str, bool]]":
    """Each field with its attribute, and whether it is plain."""
    found = _fields(model, left_out)
    return [
        (field, field.attname, type(field) in _PLAIN_FIELDS and not getattr(field, "auto_now_add", False))
        for field in found
    ]


def _values(left_out: tuple[str, ...], row: Model) -> list[Any]:
    held, database = row.__dict__, connections[DEFAULT_DB_ALIAS]
    values: list[Any] = []
    for field, name, plain in _plan(type(row), left_out):
        value = held.get(name, held)
        if plain and type(value) in _PLAIN_TYPES:
            values.append(value)
        elif plain and isinstance(value, models.TextChoices):
            values.append(value.value)
        else:
            values.append(field.get_db_prep_save(field.pre_save(row, True), database))
    return values


def _in_one_transaction(
    row: Model, event: AuditEvent, record: IdempotencyRecord | None, mark: str, unless: Unless
) -> int:
    with transaction.atomic():
        versions.confirm()
        if unless.model._default_manager.filter(**{unless.column: unless.value}).exists():
            raise Hindered
        if record is not None:
            _claim(record)
        row.pk = None
        row.save(force_insert=True)
        event.object_id = event.object_id or str(row.pk)
        event.save(force_insert=True)
        if record is not None:
            record.answer = record.answer.replace(mark, str(row.pk))
            record.save(update_fields=["answer"])
    return int(row.pk)


def _claim(record: IdempotencyRecord) -> None:
    try:
        record.save(force_insert=True)
    except IntegrityError:
        raise KeyTaken from None
