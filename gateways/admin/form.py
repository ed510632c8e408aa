"""The form of a gateway: what every gateway can be told, and the settings of its provider."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from gateways import accounts, configuration, providers
from gateways.admin.settings import PREFIX, fields_of, initial_of
from gateways.models import Gateway
from portal.admin.rights import DomainForm, sentences
from portal.encryption import Locked

#: What people put between the digits of a phone.
SEPARATORS = re.compile(r"[\s().‐-―-]+")
#: Names the gateway as it was when its page was made, see `accounts.seal_of`.
SEEN = "seen"


class PrefixesField(forms.Field):
    """A list, written with commas or blanks between. Which one is wrong, the model says."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextInputWidget, **_named(options))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [one for one in re.split(r"[\s,;]+", value or "") if one]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != (initial or [])


class PhoneField(forms.CharField):
    """A phone with its country code, however people space it out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextInputWidget({"inputmode": "tel"}), **_named(options))

    def to_python(self, value: Any) -> str:
        return SEPARATORS.sub("", super().to_python(value) or "")


def _named(options: dict[str, Any]) -> dict[str, Any]:
    """What a column says of its field, and we do not."""
    return {key: options[key] for key in ("label", "help_text") if key in options}


#: Columns that are written in a manner of their own.
FIELDS: dict[str, Any] = {"prefixes": PrefixesField, "test_number": PhoneField}


class GatewayForm(DomainForm):
    """Its settings are fields of their own, checked by the provider's Config; the stored ones never become a field's.

    `anew`: they are asked for afresh, because the provider is to be another one, or those that are stored are locked.
    """

    left_to_domain = frozenset({"is_default"})
    provider_name: ClassVar[str] = ""
    anew: ClassVar[bool] = False

    @classmethod
    def about(cls, provider_name: str, gateway: Gateway | None, *, anew: bool) -> "type[GatewayForm]":
        """The form for this provider, of a gateway that is there or of a new one."""
        kept = configuration.shown(gateway) if gateway and not anew else {}
        locked = gateway is not None and isinstance(gateway.settings, Locked)
        provider = providers.find(provider_name)
        asked = fields_of(provider, kept) if provider and (anew or not locked) else {}
        return type("GatewayForm", (cls,), {**asked, "provider_name": provider_name, "anew": anew})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = providers.find(self.provider_name)
        kept = {} if self.anew else configuration.shown(self.instance)
        if provider:
            self.initial.update(initial_of(provider, kept))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and self.data.get(SEEN) not in {None, accounts.seal_of(self.instance)}:
            sentence = _(
                "Somebody changed this gateway after you opened the page, so nothing was saved. "
                "Look at it again, or save once more to write yours over theirs."
            )
            self.add_error(None, sentence)
        if not any(name.startswith(PREFIX) for name in self.errors):
            self._check_settings()
        return cleaned

    def _check_settings(self) -> None:
        kept = {} if self.anew else configuration.stored_settings(self.instance)
        given = self._settings(self.cleaned_data)
        if not given:
            return
        try:
            configuration.checked(self.provider_name, given, kept)
        except ValidationError as refused:
            for path, sentence in sentences(refused):
                self.add_error(path if path in self.fields else None, sentence)

    def details(self) -> dict[str, Any]:
        """What is to be told to `accounts`: all of it of a new gateway, else what was changed."""
        names = self.changed_data if self.instance.pk else list(self.cleaned_data)
        said = {name: self.cleaned_data[name] for name in names if not name.startswith(PREFIX)}
        if self.anew:
            return said | {"provider": self.provider_name, "settings": self._settings(self.cleaned_data)}
        changed = self._settings(names)
        return said | {"settings": changed} if changed else said

    def secrets_given(self) -> list[str]:
        """The secrets that are replaced, removed or given for the first time, by the keys of their settings."""
        provider = providers.find(self.provider_name)
        keys = provider.secrets if provider else ()
        return [key for key in keys if f"{PREFIX}{key}" in self.changed_data]

    def _settings(self, names: Any) -> dict[str, Any]:
        return {name.removeprefix(PREFIX): self.cleaned_data[name] for name in names if name.startswith(PREFIX)}
