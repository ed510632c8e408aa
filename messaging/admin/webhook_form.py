"""The form of a webhook: events are boxes that say what each tells."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from messaging import event_types
from messaging.models import Format, Webhook
from portal.admin.rights import DomainForm


def choices() -> list[tuple[str, str | Promise]]:
    """The events, by name and by what they tell."""
    return [(one.name, f"{one.name}: {one.label}") for one in event_types.EVENT_TYPES]


def in_words(names: list[str]) -> str:
    """What these events tell, for people."""
    found = (event_types.named(name) for name in names)
    return ", ".join(str(one.label) for one in found if one)


class WebhookForm(DomainForm):
    """What a webhook can be told; whether it may be so, `webhooks` says."""

    left_to_domain = frozenset({"name", "url", "events"})

    url = forms.CharField(
        label=_("Address"),
        widget=UnfoldAdminTextInputWidget({"inputmode": "url", "placeholder": "https://desk.example.org/hooks"}),
        help_text=_("Where events are posted. An address in your own network must be in GATEWAY_ALLOWED_NETWORKS."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=Format.choices,
        initial=Format.STANDARD,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_("The second is for old receivers of SMSmobileAPI, and knows texts from phones only."),
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "format", "verify_tls", "enabled")

    def details(self) -> dict[str, Any]:
        """What is to be told to `webhooks`: all of it of a new one, else what was changed."""
        names = self.changed_data if self.instance.pk else list(self.cleaned_data)
        return {name: self.cleaned_data[name] for name in names}
