"""A gateway's settings: checked by the form of its provider, and shown without their secrets."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from gateways import providers
from gateways.models import Gateway
from gateways.provider import BaseProvider

#: Stands where a secret is; sent back, it means: leave the secret as it is.
MASK = "*" * 24


def labels(provider: type[BaseProvider]) -> dict[str, str]:
    """What its settings are called, by their keys."""
    return {key: str(field.label or key) for key, field in provider.Config.base_fields.items()}


def to_begin_with(provider: type[BaseProvider]) -> dict[str, Any]:
    """Settings to fill in, with the provider's defaults."""
    return {key: _beginning(field) for key, field in provider.Config.base_fields.items()}


def _beginning(field: forms.Field) -> Any:
    if isinstance(field, forms.BooleanField):
        return bool(field.initial)
    return "" if field.initial is None else field.initial


def provider_of(name: str) -> type[BaseProvider]:
    """The provider's class. Raises ValidationError for a name without a file."""
    try:
        return providers.load(name)
    except KeyError:
        known = ", ".join(providers.names())
        raise ValidationError({"provider": f"there is no provider '{name}'; known: {known}"}) from None


def checked(provider_name: str, given: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to store: those given, over those kept, over the form's own defaults.

    A secret that is left out, or given as its mask, stays as it is. Raises ValidationError naming `settings.<key>`.
    """
    provider = provider_of(provider_name)
    fields = provider.Config.base_fields
    errors = {key: f"unknown setting; known: {', '.join(fields) or 'none'}" for key in given if key not in fields}
    errors |= {key: "must be a single value" for key, value in given.items() if isinstance(value, dict | list)}
    errors |= {
        key: "must be true or false"
        for key, value in given.items()
        if isinstance(fields.get(key), forms.BooleanField) and not isinstance(value, bool)
    }
    changed = {key: value for key, value in given.items() if not (key in provider.secrets and value == MASK)}
    defaults = {key: field.initial for key, field in fields.items() if field.initial is not None}
    known = {key: value for key, value in kept.items() if key in fields}
    form = provider.Config(data=defaults | known | changed)
    found = {key: str(messages[0]) for key, messages in form.errors.items()} | errors
    if found:
        raise ValidationError({_path(key): message for key, message in found.items()})
    return form.cleaned_data


def shown(gateway: Gateway) -> dict[str, Any]:
    """The settings without their secrets. Where the provider's file is gone nobody knows which those are."""
    stored = stored_settings(gateway)
    try:
        secret = set(providers.load(gateway.provider).secrets)
    except KeyError:
        secret = set(stored)
    return {key: MASK if key in secret and value else value for key, value in stored.items()}


def stored_settings(gateway: Gateway) -> dict[str, Any]:
    """The settings in the clear; none where the key that decrypts them is missing."""
    return gateway.settings if isinstance(gateway.settings, dict) else {}


def _path(key: str) -> str:
    return "settings" if key == "__all__" else f"settings.{key}"
