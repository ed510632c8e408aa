"""The settings that most providers ask for, under one name and one label each: `url`, `login`, `password`, …

A provider's Config takes what it needs: `url = fields.address("https://api.example.org")`.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

#: A text, or one that is translated when it is shown.
Label = Any


def is_address(value: str) -> None:
    """Raises ValidationError for anything but http(s)://host[:port][/path]. A host on the LAN needs no dot."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in value):
        raise ValidationError(_("Give an address such as https://sms.example.org."))
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("Put the login and the password into their own settings, not into the address."))
    if parts.fragment:
        raise ValidationError(_("Leave out what stands after “#”."))


class AddressField(forms.CharField):
    """Where a provider answers."""

    default_validators = [is_address]


def address(initial: str = "", **options: Any) -> AddressField:
    """`url`: where the provider answers; every provider's can be changed."""
    known = _("Where the provider's API answers. Change it only for another server of theirs.")
    shown = {"help_text": known if initial else _("Where the provider's API answers."), **options}
    widget = forms.TextInput(attrs={"placeholder": initial or "https://sms.example.org", "inputmode": "url"})
    return AddressField(label=_("Address"), initial=initial or None, max_length=500, widget=widget, **shown)


def login(**options: Any) -> forms.CharField:
    """`login`: the account's name."""
    return text(_("Login"), **{"help_text": _("Of your account at the provider."), "max_length": 200, **options})


def password(**options: Any) -> forms.CharField:
    """`password`; name it in `secrets`. Blanks at its ends are its own."""
    known = _("Of the account; where the provider gives one for its API, that one.")
    return secret(_("Password"), **{"help_text": known, **options})


def api_key(**options: Any) -> forms.CharField:
    """`api_key`; name it in `secrets`."""
    known = _("From your account's settings at the provider.")
    return text(_("API key"), **{"help_text": known, "max_length": 4000, **options})


def client_id(**options: Any) -> forms.CharField:
    """`client_id` of OAuth2."""
    return text(_("Client id"), **{"help_text": _("From the provider's settings for programs (OAuth2)."), **options})


def client_secret(**options: Any) -> forms.CharField:
    """`client_secret` of OAuth2; name it in `secrets`."""
    known = _("Given together with the client id.")
    return secret(_("Client secret"), **{"help_text": known, "max_length": 4000, **options})


def webhook_secret(**options: Any) -> forms.CharField:
    """`webhook_secret`, with which the provider signs its calls; name it in `secrets`."""
    known = _("The provider signs its calls with it; give the same one there.")
    return secret(_("Webhook secret"), **{"help_text": known, **options})


def text(label: Label, help_text: Label = "", **options: Any) -> forms.CharField:
    """A line of text."""
    return forms.CharField(label=label, help_text=help_text, **{"max_length": 500, **options})


def secret(label: Label, help_text: Label = "", **options: Any) -> forms.CharField:
    """A secret whose blanks at the ends are its own."""
    return text(label, help_text, strip=False, **options)


def choice(
    label: Label, values: Iterable[str], help_text: Label = "", *, initial: str | None = None
) -> forms.ChoiceField:
    """One of a few words; where the empty one is among them, none need be chosen."""
    choices = [(value, value or "—") for value in values]
    required = all(value for value, _word in choices)
    return forms.ChoiceField(label=label, help_text=help_text, choices=choices, initial=initial, required=required)


def yes_no(label: Label, help_text: Label = "", *, initial: bool = False) -> forms.BooleanField:
    """A switch."""
    return forms.BooleanField(label=label, help_text=help_text, required=False, initial=initial)


def verify_tls() -> forms.BooleanField:
    """`verify_tls`: read by the transport for every provider that has it."""
    known = _("Off only for a server of your own whose certificate nobody signed.")
    return yes_no(_("Check the server's certificate"), known, initial=True)
