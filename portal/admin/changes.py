"""What a form changed: old and new values as people read them. `audit` masks them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Model
from django.utils import translation

from portal import audit


def changes_of(form: forms.BaseForm) -> dict[str, tuple[Any, Any]]:
    """The changed fields of a valid form, each with its old and its new value."""
    names = [name for name in form.changed_data if name in form.fields]
    before = {name: form.get_initial_for_field(form.fields[name], name) for name in names}
    after = {name: form.cleaned_data[name] for name in names}
    # The trail is read by many, and searched: it keeps one language.
    with translation.override("en"):
        return audit.difference(_in_words(form, before), _in_words(form, after))


def _in_words(form: forms.BaseForm, values: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(form.fields[name], value) for name, value in values.items()}


def _plain(field: forms.Field, value: Any) -> Any:
    if isinstance(field, forms.ModelMultipleChoiceField):
        return sorted(str(field.label_from_instance(row)) for row in _rows(field, value or ()))
    if isinstance(field, forms.ModelChoiceField) and value:
        return ", ".join(str(field.label_from_instance(row)) for row in _rows(field, [value]))
    if isinstance(field, forms.TypedMultipleChoiceField):
        names = dict(field.choices)  # type: ignore[arg-type]
        return [str(names.get(one, one)) for one in value or ()]
    return value


def _rows(field: "forms.ModelChoiceField[Any]", values: Iterable[Any]) -> Iterable[Model]:
    """A form begins with the rows or their keys and ends with rows."""
    values = list(values)
    if all(isinstance(value, Model) for value in values) or field.queryset is None:
        return values
    return list(field.queryset.filter(pk__in=values))
