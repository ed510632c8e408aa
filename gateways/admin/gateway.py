"""The pages of gateways. `accounts` writes what they are told; secrets can be written and never read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways import accounts, providers
from gateways.admin import buttons, callbacks, choosing, ordering
from gateways.admin.actions import ACTIONS
from gateways.admin.columns import Columns
from gateways.admin.form import FIELDS, SEEN, GatewayForm
from gateways.admin.mending import troubles_of
from gateways.admin.settings import fieldsets_of
from gateways.models import Gateway
from portal.admin.rights import DomainAdmin, demand
from portal.encryption import Locked
from portal.permissions import SENDING, Right, may

#: Says at the address of a form which provider it is for.
PROVIDER = "provider"
#: How it fares: what is seen at once, and what is unfolded.
FARES = ("standing", "balance", "sent_today")
FARES_BESIDES = (
    *("breaker", "paused_until", "last_error", "last_remedy", "last_error_at"),
    *("balance_at", "proven", "logged_in", "created"),
)
FOLDED = ["collapse"]


@admin.register(Gateway)
class GatewayAdmin(Columns, DomainAdmin):
    """Accounts at providers."""

    area = "SMS_GATEWAY"
    # Not for secrets alone: another address would take a kept one to another host.
    confirmed_first = frozenset({"add", "change"})
    form = GatewayForm
    hidden = frozenset({"settings", "callback_key"})
    actions = ACTIONS
    ordering = ("priority", "name")
    # All of them on one page, so that they can be put in order.
    list_per_page = 500
    change_form_template = "admin/gateways/gateway/change_form.html"
    list_before_template = "admin/gateways/gateway/before_list.html"
    list_after_template = "admin/gateways/gateway/after_list.html"
    list_display = ("name", "provider_label", "standing", "balance", "sent_today", "price")
    list_display_links = ("name",)
    # The list has one order, and that means something.
    sortable_by = ()
    list_filter = ("enabled", "provider")
    list_select_related = ("health",)
    search_fields = ("name",)
    readonly_fields = (
        "provider_label",
        "provider_chosen",
        "shown_settings",
        "callback_addresses",
        *FARES,
        *FARES_BESIDES,
    )

    class Media:
        js = ("gateways/order.js", "portal/copy.js")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("order/", wrap(ordering.order_view), name="gateways_gateway_order"),
            path("<int:object_id>/provider/", wrap(self.provider_view), name="gateways_gateway_provider"),
            path("<int:object_id>/act/<slug:name>/", wrap(self.act_view), name="gateways_gateway_act"),
        ]
        return [*own, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponseBase:
        """A button."""
        return buttons.act(self, request, str(object_id), name)

    def provider_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """The first step to another provider."""
        demand(request, *ordering.NEEDED)
        gateway = self.get_object(request, str(object_id))
        if gateway is None:
            gone: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))
            return gone
        return choosing.choose(self, request, reverse("admin:gateways_gateway_change", args=(object_id,)), gateway)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        demand(request, Right.SMS_GATEWAY_CREATE)
        if providers.find(self.provider_name(request)) is None:
            return choosing.choose(self, request, reverse("admin:gateways_gateway_add"))
        return super().add_view(request, form_url, extra_context)

    def provider_name(self, request: HttpRequest, gateway: Gateway | None = None) -> str:
        """Whose settings the form asks for: the gateway's own provider, unless another one was chosen."""
        asked = (request.POST if request.method == "POST" else request.GET).get(PROVIDER, "")
        return asked if providers.find(asked) else gateway.provider if gateway else ""

    def _is_anew(self, request: HttpRequest, gateway: Gateway | None) -> bool:
        """Whether the settings are asked for afresh: those of another provider, or in place of locked ones."""
        if gateway is None or self.provider_name(request, gateway) != gateway.provider:
            return True
        asked = (request.POST if request.method == "POST" else request.GET).get(PROVIDER, "")
        return bool(asked) and isinstance(gateway.settings, Locked)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = GatewayForm.about(self.provider_name(request, obj), obj, anew=self._is_anew(request, obj))
        return super().get_form(request, obj, change=change, **{"form": form, **kwargs})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        shown = ("provider_chosen" if writes else "provider_label", *FARES) if obj else ()
        own = (
            (None, {"fields": ("name", *shown, "sender", "enabled", "is_default")}),
            *(self._settings(request, obj) if writes else [(_("settings"), {"fields": ("shown_settings",)})]),
            (_("Which messages it takes"), {"fields": ("priority", "prefixes", "strict")}),
            (
                _("How many, how fast"),
                {"fields": ("rate_per_second", "max_in_flight", "timeout", "daily_limit"), "classes": FOLDED},
            ),
            (_("Test and balance"), {"fields": ("test_number", "balance_warning")}),
            (_("Costs"), {"fields": ("segment_price", "currency"), "classes": FOLDED}),
        )
        if obj is None:
            return own
        # Whoever knows the callback address can report deliveries.
        address = ((_("Callbacks"), {"fields": ("callback_addresses",)}),) if writes else ()
        return (*own, *address, (_("How it fares"), {"fields": FARES_BESIDES, "classes": FOLDED}))

    def _settings(self, request: HttpRequest, gateway: Gateway | None) -> list[tuple[Any, dict[str, Any]]]:
        provider = providers.find(self.provider_name(request, gateway))
        locked = gateway is not None and isinstance(gateway.settings, Locked)
        if provider is None or (locked and not self._is_anew(request, gateway)):
            return []
        return fieldsets_of(provider)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if own := FIELDS.get(db_field.name):
            return db_field.formfield(form_class=own)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("health", "session")
        return rows.defer("session__token", "session__refresh")

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return ("order", *shown) if self.has_change_permission(request) else shown

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request).items()
        return {name: given for name, given in found if not getattr(given[0], "single", False)}

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions that send."""
        return self.holds(request, *SENDING)

    def touches_secrets(self, form: GatewayForm) -> list[str]:
        """The secrets that a submitted form gives, replaces or removes, by the keys of their settings."""
        return form.secrets_given()

    def save_model(self, request: HttpRequest, obj: Gateway, form: Any, change: bool) -> None:
        if change:
            accounts.change(Gateway.objects.get(pk=obj.pk), **form.details())
        else:
            obj.pk = accounts.create(**form.details()).pk
        if touched := self.touches_secrets(form):
            self.note(request, "secrets", 200, obj, {"given": touched})

    def delete_model(self, request: HttpRequest, obj: Gateway) -> None:
        accounts.delete(obj)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # A list that is searched or filtered has no places to drag rows to.
        orders = self.has_change_permission(request)
        context = {"troubles": self._troubles(request), "whole": not request.GET, "orders": orders}
        return super().changelist_view(request, context | (extra_context or {}))

    def _troubles(self, request: HttpRequest) -> list[dict[str, Any]]:
        if not self.has_view_permission(request):
            return []
        return [self._trouble(request, gateway) for gateway in self.get_queryset(request) if troubles_of(gateway)]

    def _trouble(self, request: HttpRequest, gateway: Gateway) -> dict[str, Any]:
        found = troubles_of(gateway)
        mends = tuple(name for trouble in found for name in trouble.mends)
        return {
            "gateway": gateway,
            "troubles": found,
            "buttons": buttons.buttons_of(request, gateway, mends),
            "writes": self.has_change_permission(request, gateway),
        }

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        gateway = kwargs.get("obj")
        name = self.provider_name(request, gateway)
        provider = providers.find(name)
        context |= {"provider_name": name, "seen_name": SEEN}
        if provider:
            context |= {"provider_label": provider.label, "provider_about": provider.about}
        if gateway and gateway.pk:
            context |= self._about(request, Gateway.objects.select_related("health").get(pk=gateway.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def _about(self, request: HttpRequest, gateway: Gateway) -> dict[str, Any]:
        """What stands above the form. The row is read again: a form that was refused has changed the other one."""
        return {
            **self._trouble(request, gateway),
            "buttons_of_page": buttons.buttons_of(request, gateway),
            "seen": accounts.seal_of(gateway),
            "anew": self._is_anew(request, gateway),
            "is_sandbox": gateway.provider == "sandbox" and may(request.user, *Right),
        }

    @admin.display(description=_("order"))
    def order(self, gateway: Gateway) -> Any:
        return render_to_string("admin/gateways/gateway/order.html", {"gateway": gateway, "moves": ordering.moves()})

    @admin.display(description=_("provider"))
    def provider_chosen(self, gateway: Gateway) -> Any:
        address = reverse("admin:gateways_gateway_provider", args=(gateway.pk,))
        link = format_html('<a class="underline" href="{}">{}</a>', address, gettext("Choose another provider"))
        return format_html("{} · {}", self.provider_label(gateway), link)

    @admin.display(description=_("callback address"))
    def callback_addresses(self, gateway: Gateway) -> Any:
        return callbacks.shown(gateway)
