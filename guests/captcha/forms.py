"""A form with the captcha."""

from typing import Any, cast

from django import forms
from django.forms.utils import ErrorDict

from guests.captcha.answers import Answer, Unproven, check
from guests.captcha.fields import CaptchaField, CaptchaWidget
from guests.captcha.verdicts import Verdict

NAME = "captcha"


class CaptchaForm(forms.Form):
    """To derive from: it has a last field `captcha`, unless it is made with `captcha=False`.

    The answer is judged once everything else is right: whoever mistypes a phone need not read a second picture. A form
    that was sent for another picture is not valid, has no errors, and keeps what was typed.
    """

    def __init__(self, *args: Any, captcha: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if captcha:
            self.fields[NAME] = CaptchaField()

    def full_clean(self) -> None:
        if self._wants_another_picture():
            self._errors, self.cleaned_data = ErrorDict(), {}
            self._captcha.is_spent = True
            return
        super().full_clean()
        if self.is_bound and NAME in self.fields and not self._errors and self.cleaned_data[NAME]:
            self._judge(self.cleaned_data[NAME])

    def is_valid(self) -> bool:
        return super().is_valid() and not self._wants_another_picture()

    @property
    def _captcha(self) -> CaptchaWidget:
        return cast("CaptchaWidget", self.fields[NAME].widget)

    def _wants_another_picture(self) -> bool:
        if not self.is_bound or NAME not in self.fields:
            return False
        return self._captcha.asks_for_another(self.data, self.add_prefix(NAME))

    def _judge(self, answer: Answer) -> None:
        self._captcha.is_spent = True
        try:
            check(answer)
        except Unproven as refusal:
            self._captcha.is_plain = refusal.verdict is Verdict.FAILED
            self.add_error(NAME, forms.ValidationError(refusal.sentence, code=refusal.verdict.value))
