"""A secret in a form: it can be given, replaced or removed, and is never shown again, not even how long it is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminPasswordWidget

from gateways.configuration import MASK


class Given(NamedTuple):
    """What was submitted: nothing of it means that the secret stays as it is."""

    text: str
    remove: bool

    def __repr__(self) -> str:
        return "Given(…)"


class SecretInput(UnfoldAdminPasswordWidget):  # type: ignore[misc]
    """An input that begins empty, whatever is kept; and a box to remove it by, where it may be missing."""

    def __init__(self, *, kept: bool, removable: bool) -> None:
        super().__init__({"autocomplete": "new-password", "spellcheck": "false"})
        self.kept = kept
        self.removable = removable

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Given:
        return Given(str(data.get(name) or ""), bool(data.get(f"{name}-remove")))

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        context = {
            "input": super().render(name, None, attrs, renderer),
            "name": name,
            "kept": self.kept,
            "removable": self.kept and self.removable,
            "lost": isinstance(value, Given) and bool(value.text),
        }
        # The renderer of forms knows the templates of apps only, and not ours.
        return render_to_string("gateways/secret.html", context)


class SecretField(forms.Field):
    """Gives the new secret, nothing where it is removed, or the mask where it stays."""

    def __init__(self, asked: forms.Field, *, kept: bool) -> None:
        super().__init__(
            required=asked.required and not kept,
            label=asked.label,
            help_text=asked.help_text,
            widget=SecretInput(kept=kept, removable=not asked.required),
        )
        self.asked = asked
        self.kept = kept

    def clean(self, value: Given) -> Any:
        if value.text and value.remove:
            raise forms.ValidationError(_("Either replace the secret or remove it."))
        if self.kept and not value.text and not value.remove:
            return MASK
        return self.asked.clean(value.text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data.text or data.remove)
