"""Gateways in the admin: settings as JSON text whose secrets can be written and never read; and how gateways fare."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AdminTextareaWidget
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways import accounts, checking, configuration, health, pace, providers, samples, standing
from gateways.models import Gateway, GatewayHealth, GatewaySession, SandboxSms, is_phone
from gateways.preview import Preview
from portal.admin.display import NOTHING, moment, preformatted, pretty
from portal.admin.rights import DomainAdmin, DomainForm, HistoryAdmin
from portal.errors import Refusal
from portal.permissions import SENDING

Action = Callable[["GatewayAdmin", HttpRequest, Any], HttpResponseBase | None]

#: What can be done with gateways on their pages. Messaging hands down its own: gateways know no messages.
ACTIONS: list[str | Action] = ["check_connection", "show_request"]
#: On the page of one gateway, its buttons carry this name.
FROM_PAGE = "from_page"
SETTINGS_HELP = _("One JSON object. A secret shows as asterisks: left so it stays as it is; another text replaces it.")
LEVELS = {True: messages.SUCCESS, False: messages.ERROR, None: messages.WARNING}


def settings_help(gateway: Gateway) -> str:
    """What each provider can be told; of the gateway's own it is shown unfolded."""
    known = [
        {
            "name": name,
            "label": label,
            "open": name == gateway.provider,
            "settings": configuration.explained(providers.load(name)),
            "begin": pretty(configuration.to_begin_with(providers.load(name))),
        }
        for name, label in providers.choices()
    ]
    return render_to_string("gateways/settings_help.html", {"help": SETTINGS_HELP, "providers": known})


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
        self.fields["settings"].help_text = settings_help(self.instance)


class SampleForm(forms.Form):
    """The message whose request is shown."""

    phone = forms.CharField(label=_("Phone"), max_length=20, validators=[is_phone], initial=samples.PHONE)
    text = forms.CharField(
        label=_("Text"), max_length=2000, required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3})
    )


@admin.register(Gateway)
class GatewayAdmin(DomainAdmin):
    """Accounts at providers; `accounts` writes them."""

    area = "SMS_GATEWAY"
    form = GatewayForm
    hidden = frozenset({"settings", "callback_key"})
    actions = ACTIONS
    change_form_template = "admin/gateways/gateway/change_form.html"
    list_display = (
        *("name", "provider", "standing", "last_error"),
        *("balance", "sent_today", "priority", "is_default"),
    )
    list_filter = ("enabled", "provider")
    list_select_related = ("health",)
    search_fields = ("name",)
    readonly_fields = (
        *("shown_settings", "standing", "breaker", "paused_until", "last_error", "last_remedy", "last_error_at"),
        *("balance", "sent_today", "callback_address", "created"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        account = ("name", "provider", "settings" if writes else "shown_settings", "sender", "enabled", "is_default")
        asked = (
            (None, {"fields": account}),
            (_("Which messages it takes"), {"fields": ("priority", "prefixes", "strict")}),
            (_("How many, how fast"), {"fields": ("rate_per_second", "max_in_flight", "timeout", "daily_limit")}),
            (_("Test and balance"), {"fields": ("test_number", "balance_warning")}),
            (_("Costs"), {"fields": ("segment_price", "currency")}),
        )
        if obj is None:
            return asked
        fares = ("standing", "breaker", "paused_until", "last_error", "last_remedy", "last_error_at", "balance")
        # Whoever knows the callback address can report deliveries.
        address = ("callback_address",) if writes else ()
        return (*asked, (_("How it fares"), {"fields": (*fares, "sent_today", *address, "created")}))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("health")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions that send."""
        return self.holds(request, *SENDING)

    def save_model(self, request: HttpRequest, obj: Gateway, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            accounts.change(Gateway.objects.get(pk=obj.pk), **{name: given[name] for name in form.changed_data})
        else:
            obj.pk = accounts.create(**given).pk

    def delete_model(self, request: HttpRequest, obj: Gateway) -> None:
        accounts.delete(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        # An action that any row can be put to is a button here; to delete has one already.
        given = self.get_actions(request).items()
        buttons = [(name, action[2]) for name, action in given if action and name != "delete_selected"]
        context = {"buttons": buttons, "checkbox": ACTION_CHECKBOX_NAME, "from_page": FROM_PAGE}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """As Django's; whoever pressed a button on the page of one gateway comes back to it."""
        response = super().response_action(request, queryset, *args, **kwargs)
        page = request.POST.get(FROM_PAGE, "")
        if page.isdecimal() and isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(reverse("admin:gateways_gateway_change", args=(page,)))
        return response

    @admin.action(description=_("Check the connection"), permissions=["change"])
    def check_connection(self, request: HttpRequest, queryset: Any) -> None:
        for gateway in queryset:
            found = checking.check(gateway)
            self.note(request, "check", 200, gateway, {"works": found.works})
            messages.add_message(request, LEVELS[found.works], told(gateway, found.says, found.remedy))

    @admin.action(description=_("Show the request"), permissions=["change"])
    def show_request(self, request: HttpRequest, queryset: Any) -> HttpResponseBase:
        sample = SampleForm(request.POST if "phone" in request.POST else None)
        given = sample.cleaned_data if sample.is_valid() else {}
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The request as it would be made"),
            "opts": self.opts,
            "form": sample,
            "requests": [(gateway, *_requested(gateway, given)) for gateway in queryset],
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "gateways/requests.html", context)

    @admin.display(description=_("settings"))
    def shown_settings(self, gateway: Gateway) -> str:
        return preformatted(pretty(configuration.shown(gateway)))

    @admin.display(description=_("state"))
    def standing(self, gateway: Gateway) -> Any:
        return standing.of(gateway).label

    @admin.display(description=_("breaker"))
    def breaker(self, gateway: Gateway) -> Any:
        return health.breaker(health.of(gateway)).label

    @admin.display(description=_("paused until"))
    def paused_until(self, gateway: Gateway) -> str:
        return moment(standing.paused_until(gateway))

    @admin.display(description=_("last error"), ordering="health__last_error_at")
    def last_error(self, gateway: Gateway) -> str:
        said = health.of(gateway).last_error
        # In a list a narrow column would make a tower of it.
        return format_html('<span style="display: inline-block; min-width: 14rem">{}</span>', said) if said else NOTHING

    @admin.display(description=_("remedy"))
    def last_remedy(self, gateway: Gateway) -> str:
        return _in_their_words(health.of(gateway).last_remedy) or NOTHING

    @admin.display(description=_("last error at"))
    def last_error_at(self, gateway: Gateway) -> str:
        return moment(health.of(gateway).last_error_at)

    @admin.display(description=_("balance"), ordering="health__balance")
    def balance(self, gateway: Gateway) -> str:
        found = health.of(gateway)
        if found.balance is None:
            return NOTHING
        left = f"{found.balance} {found.currency}".rstrip()
        warning = standing.BALANCE_WARNINGS.get(found.balance_warned)
        return f"{left} · {warning}" if warning else left

    @admin.display(description=_("sent today"), ordering="health__day_count")
    def sent_today(self, gateway: Gateway) -> str:
        sent = pace.sent_today(health.of(gateway))
        return str(sent) if gateway.daily_limit is None else f"{sent} / {gateway.daily_limit}"

    @admin.display(description=_("callback address"))
    def callback_address(self, gateway: Gateway) -> str:
        if not gateway.callback_url:
            return gettext("Set PORTAL_URL, so that the portal knows its own address.")
        hint = gettext("Paste it where the provider wants to know whom to call with receipts and inbound messages.")
        return format_html("<code>{}</code><br>{}", gateway.callback_url, hint)


def _requested(gateway: Gateway, sample: dict[str, str]) -> tuple[Preview | None, str]:
    """The request, or why there is none."""
    try:
        return samples.request_of(gateway, **sample), ""
    except Refusal as refusal:
        return None, refusal.sentence


def told(gateway: Gateway, says: str, remedy: str = "") -> str:
    """What an action did, as a message on top of a page."""
    sentence = gettext("Gateway “%(name)s”: %(says)s") % {"name": gateway, "says": says}
    if not remedy:
        return sentence
    return format_html("{}<br>{}", sentence, gettext("What to do: %s") % _in_their_words(remedy))


def _in_their_words(kept: str) -> str:
    """A sentence of ours that is kept in English, in the reader's language where the catalogue has it."""
    return gettext(kept) if kept else ""


@admin.register(GatewayHealth)
class GatewayHealthAdmin(HistoryAdmin):
    """How gateways fare; workers write it."""

    area = "SMS_GATEWAY"
    list_display = ("gateway", "open_until", "refused_at", "faults", "troubles", "last_error", "last_error_at")
    fields = (
        *list_display,
        *("last_remedy", "proven", "settings_at", "balance", "currency", "balance_at", "balance_warned"),
        *("day", "day_count", "inbound_at", "pace_tokens", "pace_at"),
    )
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
