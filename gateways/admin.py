"""Gateways in the admin: settings as JSON text whose secrets can be written and never read; the rest only shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from gateways import accounts, configuration, providers
from gateways.models import Gateway, GatewayHealth, GatewaySession, SandboxSms
from portal.admin.display import NOTHING, moment, preformatted, pretty
from portal.admin.rights import DomainAdmin, DomainForm, HistoryAdmin

SETTINGS_HELP = _("One JSON object. A secret shows as asterisks: left so it stays as it is; another text replaces it.")


def known_settings() -> str:
    """What each provider can be told, one provider a line."""
    lines = [f"{name}: {', '.join(providers.load(name).Config.base_fields) or '—'}" for name in providers.names()]
    return "\n".join(lines)


class SettingsField(forms.JSONField):
    """A gateway's settings as text. It is given and gives what `configuration` masks and checks."""

    widget = AdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return pretty(value) if isinstance(value, dict) else super().prepare_value(value)

    def clean(self, value: Any) -> dict[str, Any]:
        given = super().clean(value)
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise forms.ValidationError(_("Give an object such as {}."))
        return given


class GatewayForm(DomainForm):
    """The stored settings never become the form's: it begins with their masked copy."""

    left_to_domain = frozenset({"settings", "is_default"})
    settings = SettingsField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["settings"] = configuration.shown(self.instance) if self.instance.pk else {}
        self.fields["settings"].label = capfirst(_("settings"))
        self.fields["settings"].help_text = format_html(
            '{}<br><span style="white-space: pre-line">{}</span>', SETTINGS_HELP, known_settings()
        )


@admin.register(Gateway)
class GatewayAdmin(DomainAdmin):
    """Accounts at providers; `accounts` writes them."""

    area = "SMS_GATEWAY"
    form = GatewayForm
    hidden = frozenset({"settings"})
    list_display = ("name", "provider", "sender", "enabled", "is_default", "priority", "paused_until", "last_error")
    list_filter = ("enabled", "provider")
    list_select_related = ("health",)
    search_fields = ("name",)
    readonly_fields = ("shown_settings", "paused_until", "last_error", "created")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return (
            ("name", "provider", "settings" if writes else "shown_settings", "sender", "enabled", "is_default")
            + ("priority", "prefixes", "rate_per_second", "max_in_flight", "timeout")
            + (("paused_until", "last_error", "created") if obj else ())
        )

    def save_model(self, request: HttpRequest, obj: Gateway, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            accounts.change(Gateway.objects.get(pk=obj.pk), **{name: given[name] for name in form.changed_data})
        else:
            obj.pk = accounts.create(**given).pk

    def delete_model(self, request: HttpRequest, obj: Gateway) -> None:
        accounts.delete(obj)

    @admin.display(description=_("settings"))
    def shown_settings(self, gateway: Gateway) -> str:
        return preformatted(pretty(configuration.shown(gateway)))

    @admin.display(description=_("paused until"), ordering="health__open_until")
    def paused_until(self, gateway: Gateway) -> Any:
        return moment(gateway.health.open_until) if hasattr(gateway, "health") else moment(None)

    @admin.display(description=_("last error"))
    def last_error(self, gateway: Gateway) -> str:
        return (gateway.health.last_error if hasattr(gateway, "health") else "") or NOTHING


@admin.register(GatewayHealth)
class GatewayHealthAdmin(HistoryAdmin):
    """How gateways fare; workers write it."""

    area = "SMS_GATEWAY"
    list_display = ("gateway", "open_until", "faults", "last_error", "last_error_at")
    fields = (*list_display, "pace_tokens", "pace_at")
    list_select_related = ("gateway",)


@admin.register(GatewaySession)
class GatewaySessionAdmin(HistoryAdmin):
    """Which gateways are logged in at their providers; the tokens are shown to nobody."""

    area = "SMS_GATEWAY"
    hidden = frozenset({"token", "refresh"})
    fields = list_display = ("gateway", "issued_at", "used_at", "expires_at", "busy_until", "refusals")
    list_select_related = ("gateway",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("token", "refresh")


@admin.register(SandboxSms)
class SandboxSmsAdmin(HistoryAdmin):
    """What arrived in the sandbox; the text is on the sandbox phone's own page."""

    area = "MESSAGES"
    hidden = frozenset({"text"})
    fields = list_display = ("received", "phone", "sender", "state", "times_submitted", "gateway", "key", "settles_at")
    list_filter = ("received", "state")
    list_select_related = ("gateway",)
    search_fields = ("phone", "key")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("text")
