"""The settings of a provider as fields of the gateway's form: its own Config, dressed as the admin's other fields."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.utils.translation import gettext
from unfold import widgets

from gateways.admin.secrets import SecretField
from gateways.provider import BaseProvider

#: Before a setting's key, in the form as in errors: `settings.password`.
PREFIX = "settings."


def fields_of(provider: type[BaseProvider], kept: Mapping[str, Any]) -> dict[str, forms.Field]:
    """By their names in the form. Of `kept` only matters which secrets are there."""
    return {
        f"{PREFIX}{key}": SecretField(field, kept=bool(kept.get(key))) if key in provider.secrets else _dressed(field)
        for key, field in provider.Config.base_fields.items()
    }


def initial_of(provider: type[BaseProvider], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields begin with: what is kept, else the provider's own defaults. No secret is among it."""
    plain = {key: field for key, field in provider.Config.base_fields.items() if key not in provider.secrets}
    return {f"{PREFIX}{key}": kept.get(key, field.initial) for key, field in plain.items()}


def fieldsets_of(provider: type[BaseProvider]) -> list[tuple[Any, dict[str, Any]]]:
    """The provider's sections, or one of all its settings."""
    sections = provider.sections or [
        (gettext("Settings: %s") % provider.label, list(provider.Config.base_fields), False)
    ]
    return [
        (title, {"fields": [f"{PREFIX}{key}" for key in keys], "classes": ["collapse"] if folded else []})
        for title, keys, folded in sections
        if keys
    ]


def _dressed(field: forms.Field) -> forms.Field:
    dressed = deepcopy(field)
    widget = _widget_for(field)
    widget.attrs |= {key: value for key, value in field.widget.attrs.items() if key in {"placeholder", "inputmode"}}
    widget.attrs |= dressed.widget_attrs(widget)
    widget.is_required = field.required
    dressed.widget = widget
    return dressed


def _widget_for(field: forms.Field) -> forms.Widget:
    match field:
        case forms.BooleanField():
            found = widgets.UnfoldBooleanSwitchWidget()
        case forms.ChoiceField():
            found = widgets.UnfoldAdminSelectWidget(choices=field.choices)
        case forms.IntegerField():
            found = widgets.UnfoldAdminIntegerFieldWidget()
        case forms.CharField(widget=forms.Textarea()):
            found = widgets.UnfoldAdminTextareaWidget({"rows": field.widget.attrs.get("rows", 6)})
        case _:
            found = widgets.UnfoldAdminTextInputWidget()
    return found  # type: ignore[no-any-return]
