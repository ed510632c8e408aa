"""The forms of signing in."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from portal.models import User
from portal.sign_in import devices

#: Browsers offer the code that a phone has just shown, and correct nothing.
CODE = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}


def too_soon(until: datetime) -> str:
    """The sentence for somebody who must wait after wrong codes."""
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    return (
        ngettext(
            "Too many wrong codes. Try again in %d second.", "Too many wrong codes. Try again in %d seconds.", seconds
        )
        % seconds
    )


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Name and password. What else keeps an account out is said only after the password was right."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if user.is_program:
            raise ValidationError(_("This account is a program's. Programs use the API and cannot sign in here."))


class CodeForm(forms.Form):
    """The second factor, typed."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that your authenticator app shows, or one of your recovery codes."),
        widget=UnfoldAdminTextInputWidget(attrs={**CODE, "autofocus": True}),
    )


class AppForm(forms.Form):
    """A new authenticator app proves that it has the key."""

    key = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("By which you tell this phone from another."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("The six digits that the app shows now."),
        widget=UnfoldAdminTextInputWidget(attrs={**CODE, "inputmode": "numeric"}),
    )


class ConfirmForm(forms.Form):
    """The password again, or a code where the user has a second factor."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    code = forms.CharField(
        label=_("Or a code"),
        required=False,
        max_length=40,
        help_text=_("The six digits that your authenticator app shows, or one of your recovery codes."),
        widget=UnfoldAdminTextInputWidget(attrs=CODE),
    )
    # A form of the admin may have fields of the same names; these stand beside it, sealed.
    prefix = "confirm"

    def __init__(self, user: User, *args: Any) -> None:
        super().__init__(*args)
        self.user = user
        if not devices.has_second_factor(user):
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("password") and not cleaned.get("code"):
            self.add_error("password", _("Give your password, or a code where you have one."))
        return cleaned
