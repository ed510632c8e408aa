"""A list of words in one field of a form: one a line, or with commas between."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from guests.rule_checks import words_of


class ListField(forms.CharField):
    """Its value is a list; what the words must be, the domain says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, list) else words_of(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != self.to_python(initial))
