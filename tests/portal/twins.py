"""More rows like one that is there: every relation of a copy leads to a row of its own."""

from typing import Any
from uuid import UUID, uuid5

from django.db.models import AutoField, Field, Model, UniqueConstraint


def twin(row: Model, number: int, others: dict[Model, Model] | None = None) -> Model:
    """A copy of the row, saved; what must be unique in it ends in the number. `others` are those it may lead to."""
    others = {} if others is None else others
    if row in others:
        return others[row]
    made = others[row] = type(row)()
    unique = _unique(type(row))
    for field in row._meta.concrete_fields:
        if not isinstance(field, AutoField):
            value = getattr(row, field.name)
            followed = twin(value, number, others) if isinstance(value, Model) else value
            setattr(made, field.name, _other(followed, number, field) if field.name in unique else followed)
    made.save(force_insert=True)
    for field in row._meta.local_many_to_many:
        getattr(made, field.name).set(getattr(row, field.name).all())
    return made


def _other(value: Any, number: int, field: "Field[Any, Any]") -> Any:
    if value is None or isinstance(value, Model):
        return value
    if isinstance(value, UUID):
        return uuid5(value, str(number))
    if isinstance(value, bool):
        # What only one row may be is no other one's.
        return False
    return value + number if isinstance(value, int) else f"{value}{number}"[-(field.max_length or 255) :]


def _unique(model: type[Model]) -> set[str]:
    """Fields that no second row may have with the same value; where several are so together, the last will do."""
    rules = [rule.fields for rule in model._meta.constraints if isinstance(rule, UniqueConstraint) and rule.fields]
    alone = {field.name for field in model._meta.concrete_fields if field.unique}
    return alone | {fields[-1] for fields in rules}
