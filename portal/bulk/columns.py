"""Columns, for statements that are written by hand: which a field's is, and whose values need no preparing."""

from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    Column = models.Field[Any, Any]

#: Fields of exactly these kinds hold in the database what they hold in Python. Not those that are made of them, such as
#: encrypted texts. Asking each of forty columns of a row to prepare its value takes as long as the rest.
AS_THEY_ARE = frozenset({
    models.BigAutoField, models.BooleanField, models.CharField, models.ForeignKey, models.OneToOneField,
    models.PositiveIntegerField, models.PositiveSmallIntegerField, models.TextField,
})  # fmt: skip


def column(model: type[models.Model], name: str) -> "Column":
    """The field of this name, or the primary key by `pk`."""
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 — only what is stored has a value
    return field


def sql_name(model: type[models.Model], name: str) -> str:
    """What the column is called in a statement."""
    return connection.ops.quote_name(str(column(model, name).column))


def sql_table(model: type[models.Model]) -> str:
    """What the table is called in a statement."""
    return connection.ops.quote_name(model._meta.db_table)
