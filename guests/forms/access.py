"""The forms of *My access*: the two ways in, and the question before everything is erased."""

from django import forms
from django.utils.translation import gettext_lazy as _

from guests.captcha import CaptchaForm
from guests.forms.welcome import PhoneField
from portal.errors import Refusal

#: Which of the two ways in a form is, in the name of its button.
BY_PHONE, BY_PASSWORD = "by_phone", "by_password"
LONGEST = 300


class RefusedForm(forms.Form):
    """Shows what the domain refuses."""

    def refuse(self, refusal: Refusal, *more: str) -> None:
        """At the field at fault where the form has it."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, [refusal.sentence, *more])


class PhoneForm(CaptchaForm, RefusedForm):
    """The phone, to which a code is sent."""

    phone = PhoneField()

    def said(self) -> dict[str, str]:
        """What was typed, whether that is valid or not."""
        return {"phone": str(self.data.get("phone") or "")}


class PasswordForm(RefusedForm):
    """User name or phone, and password."""

    username = forms.CharField(
        label=_("User name or phone"),
        max_length=LONGEST,
        error_messages={"required": _("Type your user name or your phone.")},
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST,
        error_messages={"required": _("Type your password.")},
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


class EraseForm(RefusedForm):
    """For what cannot be taken back."""

    sure = forms.BooleanField(
        label=_("I know that this cannot be undone"),
        error_messages={"required": _("Please confirm that you want this.")},
    )
