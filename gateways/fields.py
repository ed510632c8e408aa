"""The settings that most providers ask for, under one name and one label each: `url`, `login`, `password`, …

A provider's Config takes what it needs: `url = fields.address("https://api.example.org")`.
"""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


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
    return AddressField(label=_("Address"), initial=initial or None, max_length=500, **options)


def login(**options: Any) -> forms.CharField:
    """`login`: the account's name."""
    return forms.CharField(label=_("Login"), max_length=200, **options)


def password(**options: Any) -> forms.CharField:
    """`password`; name it in `secrets`. Blanks at its ends are its own."""
    return forms.CharField(label=_("Password"), max_length=500, strip=False, **options)


def api_key(**options: Any) -> forms.CharField:
    """`api_key`; name it in `secrets`."""
    return forms.CharField(label=_("API key"), max_length=4000, **options)


def client_id(**options: Any) -> forms.CharField:
    """`client_id` of OAuth2."""
    return forms.CharField(label=_("Client id"), max_length=500, **options)


def client_secret(**options: Any) -> forms.CharField:
    """`client_secret` of OAuth2; name it in `secrets`."""
    return forms.CharField(label=_("Client secret"), max_length=4000, strip=False, **options)


def verify_tls() -> forms.BooleanField:
    """`verify_tls`: read by the transport for every provider that has it."""
    return forms.BooleanField(label=_("Check the server's certificate"), required=False, initial=True)
