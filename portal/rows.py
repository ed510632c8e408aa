"""Rows in memory."""

from typing import TypeVar

from django.db.models.base import Model, ModelState

Row = TypeVar("Row", bound=Model)


def copied(row: Row) -> Row:
    """A copy whose columns its caller may set, while the row itself is kept or shared.

    What the row refers to is asked for anew; lists and dictionaries are those of the row, for nobody to change.
    """
    copy = row.__class__.__new__(row.__class__)
    copy.__dict__.update(row.__dict__)
    copy._state = ModelState()
    copy._state.adding, copy._state.db = False, row._state.db
    return copy
