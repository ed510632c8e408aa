"""Deliveries of events to webhooks in the admin: what became of each, every call, and telling it once more."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging import event_types, webhooks
from messaging.admin.filters import CountedSoFar
from messaging.models import Delivered, WebhookDelivery, WebhookTry
from portal.admin.display import NOTHING, moment, preformatted
from portal.admin.filters import TimeRangeFilter
from portal.admin.rights import HistoryAdmin, HistoryInline, demand
from portal.errors import Refusal
from portal.permissions import Right, may

COLOURS = {
    Delivered.PENDING: "info",
    Delivered.DELIVERED: "success",
    Delivered.FAILED: "danger",
    Delivered.GIVEN_UP: "danger",
}


def _may_read(request: HttpRequest, delivery: WebhookDelivery | None) -> bool:
    """Whether what is told is for the eyes of this user."""
    name = delivery.event.type if delivery and delivery.event_id else ""
    return may(request.user, Right(event_types.needs_of(name)))


class TypeFilter(admin.SimpleListFilter):
    """By what happened."""

    title = _("event")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (*event_types.names(), event_types.TEST)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[WebhookDelivery]") -> "QuerySet[WebhookDelivery]":
        return queryset.filter(event__type=self.value()) if self.value() else queryset


class Calls(HistoryInline):
    """Every call that was made of it. What was answered may repeat what was told."""

    area = "SYSTEM"
    model = WebhookTry
    fields = ("at", "status", "milliseconds", "reason", "answer")
    show_change_link = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if _may_read(request, obj) else self.fields[:-1]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(HistoryAdmin):
    """One event for one webhook."""

    area = "SYSTEM"
    actions = ("replay",)
    change_form_template = "admin/messaging/webhookdelivery/change_form.html"
    inlines = (Calls,)
    list_display = ("happened", "type", "webhook", "coloured_state", "tries", "why", "next_try")
    list_filter = ("state", "webhook", TypeFilter, ("event__at", TimeRangeFilter))
    list_filter_submit = True
    # The beginning, for which there is an index.
    search_fields = ("event__uid__startswith",)
    search_help_text = _("The id of an event, as its receivers read it in the header webhook-id.")
    paginator = CountedSoFar
    shown = (
        *("webhook", "type", "uid", "happened", "state", "tries", "last_status", "why", "answered_at"),
        *("next_try", "body"),
    )
    readonly_fields = ("type", "uid", "happened", "why", "next_try", "body")

    def get_queryset(self, request: HttpRequest) -> Any:
        # A list decrypts no body; the page of one delivery reads its own when it shows it.
        return super().get_queryset(request).select_related("webhook", "event").defer("event__body", "webhook__secret")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown if _may_read(request, obj) else self.shown[:-1]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.startswith("event__at") or super().lookup_allowed(lookup, value, request)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may have an event told once more."""
        return self.holds(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.replay_view)
        return [path("<int:pk>/replay/", view, name="messaging_webhookdelivery_replay"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        delivery = self.get_object(request, object_id)
        offers = delivery is not None and delivery.due_at is None and self.has_replay_permission(request)
        return super().change_view(request, object_id, form_url, {"offers_replay": offers} | (extra_context or {}))

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button on the page of one."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        rows = self.get_queryset(request).filter(pk=pk)
        if not rows:
            raise Http404
        self.replay(request, rows)
        return HttpResponseRedirect(reverse("admin:messaging_webhookdelivery_change", args=(pk,)))

    @admin.action(description=_("Tell it again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: "QuerySet[WebhookDelivery]") -> None:
        done = sum(self._replay(request, delivery) for delivery in queryset)
        if done:
            said = ngettext("%d event is told again, under its id.", "%d events are told again, under their ids.", done)
            messages.success(request, said % done)

    def _replay(self, request: HttpRequest, delivery: WebhookDelivery) -> bool:
        try:
            with transaction.atomic():
                webhooks.replay(delivery)
                self.note(request, "replay", 200, delivery, {"event": delivery.event.uid})
        except Refusal as refusal:
            messages.error(request, f"{delivery.event.uid}: {refusal.sentence}")
            return False
        return True

    def audited_as(self, obj: WebhookDelivery) -> str:
        return str(obj.pk)

    @display(description=_("state"), ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def coloured_state(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @admin.display(description=_("event"), ordering="event__type")
    def type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @admin.display(description=_("id of the event"))
    def uid(self, delivery: WebhookDelivery) -> str:
        return delivery.event.uid

    @admin.display(description=_("happened"), ordering="event__at")
    def happened(self, delivery: WebhookDelivery) -> str:
        return moment(delivery.event.at)

    @admin.display(description=_("reason"))
    def why(self, delivery: WebhookDelivery) -> str:
        if delivery.state == Delivered.DELIVERED or not delivery.reason:
            return NOTHING
        if delivery.last_status and delivery.state != Delivered.GIVEN_UP:
            return gettext("the answer was %(status)s") % {"status": delivery.last_status}
        # Our own sentence; what the network says is kept in English, as of providers.
        return gettext(delivery.reason)

    @admin.display(description=_("next try"), ordering="due_at")
    def next_try(self, delivery: WebhookDelivery) -> str:
        webhook = delivery.webhook
        stopped = webhook.paused_at is not None or not webhook.enabled
        return gettext("when the webhook is resumed") if delivery.due_at and stopped else moment(delivery.due_at)

    @admin.display(description=_("what is told"))
    def body(self, delivery: WebhookDelivery) -> str:
        return preformatted(delivery.event.body) if delivery.event.body else NOTHING
