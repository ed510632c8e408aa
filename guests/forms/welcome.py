"""Forms of the guest pages. They see to the shape of what is typed; what may be done is registration's to say."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from guests import applying, approvals
from guests.applying import Application
from guests.captcha import CaptchaField, CaptchaForm
from guests.captcha.forms import NAME as CAPTCHA
from guests.models import Asked, RegistrationRules, Terms
from messaging import phones
from portal.errors import Refusal

PLEASE_CHOOSE: Any = _("Please choose")
#: What guests call themselves, what browsers know of it, and what is said where it is missing.
OPTIONAL = {
    "name": (_("Your name"), "name", _("Type your name.")),
    "email": (_("E-mail"), "email", _("Type your e-mail address.")),
    "company": (_("Company"), "organization", _("Type the name of your company.")),
}


class PhoneField(forms.CharField):
    """A phone in any usual way of writing."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Mobile phone"),
            max_length=40,
            error_messages={"required": _("Type the number of your mobile phone.")},
            widget=forms.TextInput({"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
        )

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        try:
            phones.normalise(typed)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None
        return typed


class WelcomeForm(CaptchaForm):
    """What a guest is asked for, as the rules say; `terms` are those to be accepted now, if any."""

    phone = PhoneField()

    def __init__(self, *args: Any, rules: RegistrationRules, terms: Terms | None, **kwargs: Any) -> None:
        super().__init__(*args, captcha=False, **kwargs)
        self.fields |= _asked(rules) | _choices(rules)
        if terms is not None:
            sentence = _("Please read the terms of use and accept them.")
            self.fields["accepted"] = forms.IntegerField(error_messages={"required": sentence})
        if rules.captcha:
            self.fields[CAPTCHA] = CaptchaField()
        self.terms = terms
        hint = _("For example %(phone)s. You will get an SMS with a code.")
        self.fields["phone"].help_text = hint % {"phone": phones.example()}

    def application(self, language: str) -> Application:
        """What was said. The form must be valid."""
        said = {name: value for name, value in self.cleaned_data.items() if name != CAPTCHA}
        return Application(language=language, **said)

    def said(self) -> dict[str, str]:
        """The same as it was typed, whether that is valid or not."""
        return {name: str(self.data.get(name) or "") for name in self.fields}

    @property
    def agrees(self) -> bool:
        """Whether the terms of now are accepted already."""
        return self.terms is not None and self.data.get("accepted") == str(self.terms.pk)

    def refuse(self, refusal: Refusal, *more: str) -> None:
        """Shows why not, at the field at fault where the form has it."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, [refusal.sentence, *more])


def _asked(rules: RegistrationRules) -> dict[str, forms.Field]:
    wanted = {name: getattr(rules, rule) for name, rule in applying.FIELDS.items()}
    return {name: _field(name, asked == Asked.REQUIRED) for name, asked in wanted.items() if asked != Asked.NO}


def _field(name: str, required: bool) -> forms.Field:
    label, known_as, missing = OPTIONAL[name]
    kind = forms.EmailField if name == "email" else forms.CharField
    field = kind(label=label, max_length=254, required=required)
    field.error_messages["required"] = missing
    field.widget.attrs["autocomplete"] = known_as
    return field


def _choices(rules: RegistrationRules) -> dict[str, forms.Field]:
    """What the guest comes for, where there is a choice; and whom to ask, where that is needed for any of it."""
    offered = applying.offered_types()
    fields: dict[str, forms.Field] = {}
    if len(offered) > 1:
        sentence = _("Please choose what you come for.")
        fields["guest_type"] = _choice(_("What do you come for?"), offered, required=sentence)
    if any(kind.needs_approval for kind in offered):
        fields |= _sponsors(rules, all(kind.needs_approval for kind in offered))
    return fields


def _sponsors(rules: RegistrationRules, always: bool) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    sponsors = approvals.offered()
    hint = "" if always else _("Needed for some kinds of visits only.")
    if sponsors:
        fields["sponsor"] = _choice(_("Whom do you visit?"), sponsors, hint=hint)
    if rules.sponsor_domains:
        label = _("Or the e-mail address of the person") if sponsors else _("E-mail address of the person you visit")
        fields["sponsor_email"] = forms.EmailField(
            label=label,
            required=False,
            help_text="" if sponsors else hint,
            widget=forms.EmailInput({"autocomplete": "off"}),
        )
    return fields


def _choice(label: Any, rows: Iterable[Model], *, required: Any = "", hint: Any = "") -> forms.Field:
    by_key = {str(row.pk): row for row in rows}
    return forms.TypedChoiceField(
        label=label,
        choices=[("", PLEASE_CHOOSE), *((key, str(row)) for key, row in by_key.items())],
        coerce=by_key.__getitem__,
        empty_value=None,
        required=bool(required),
        help_text=hint,
        error_messages={"required": required},
    )
