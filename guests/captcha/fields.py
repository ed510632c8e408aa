"""The captcha as a field of a form. It draws and reads; `CaptchaForm` has it judged once all else is right."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.widgets import Script
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from guests.captcha import pictures, proofs
from guests.captcha.answers import SENTENCES, Answer
from guests.captcha.verdicts import Verdict

#: What the names of its inputs end in.
PROOF, PICTURE, TYPED, ANOTHER = "proof", "picture", "typed", "another"


class CaptchaWidget(forms.Widget):
    """A line that says how the reckoning goes, and the picture: without scripts, or where a script cannot reckon."""

    template_name = "guests/captcha/captcha.html"
    #: For whoever cannot read the picture; a page may say it in words of its own.
    hint: str | Promise = _("If you cannot read the picture, please ask at the reception.")
    #: Whether the answer was judged, so that the next must be to another picture.
    is_spent = False
    #: Whether the picture is shown to every browser, since the one that asks has shown that its script does not work.
    is_plain = False

    class Media:
        css = {"all": ("guests/captcha.css",)}
        js = (Script("guests/captcha.js", defer=True),)

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Answer:
        return Answer(*(str(data.get(f"{name}_{end}") or "") for end in (PROOF, PICTURE, TYPED)))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(f"{name}_{end}" in data for end in (PROOF, TYPED))

    def id_for_label(self, id_: str | None) -> str:
        """The one input that people see has a label of its own."""
        return ""

    def asks_for_another(self, data: Mapping[str, Any], name: str) -> bool:
        """Whether the form was sent for a new picture only."""
        return f"{name}_{ANOTHER}" in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        inputs = context["widget"]["attrs"]
        box = inputs.setdefault("id", f"id_{name}")
        inputs["aria-describedby"] = f"{inputs.get('aria-describedby', '')} {box}_hint".strip()
        picture, typed = self._picture(value)
        context["widget"] |= {"picture": picture, "typed": typed, "hint": self.hint, "length": pictures.LENGTH}
        context["widget"]["is_plain"] = self.is_plain or (isinstance(value, Answer) and not value.proof)
        context["widget"]["seconds"] = int(proofs.LIFETIME.total_seconds())
        return context

    def _picture(self, value: Any) -> tuple[str, str]:
        """The key of the picture to show, and what was typed already: the same as before until that was judged."""
        if isinstance(value, Answer) and not self.is_spent and pictures.is_ours(value.picture):
            return value.picture, value.typed[: pictures.LONGEST]
        return pictures.new_key(), ""


class CaptchaField(forms.Field):
    """Its value is an Answer that nobody has judged. With `required=False` it may be empty."""

    widget: type[CaptchaWidget] = CaptchaWidget
    default_error_messages = {"required": SENTENCES[Verdict.MISSING]}  # type: ignore[dict-item]
    empty_values = [*forms.Field.empty_values, Answer()]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": "", **kwargs})

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")
