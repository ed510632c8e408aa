"""Webhooks in the admin: whom the portal tells of events, how each fares, and its secret, shown once.

`webhooks` writes what is told here.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging import webhooks
from messaging.admin.webhook_form import WebhookForm, in_words
from messaging.models import Delivered, Webhook
from messaging.webhooks import Standing, standing_of
from portal import audit
from portal.admin.display import NOTHING, moment
from portal.admin.made_once import SECRET, ShownOnceAdmin
from portal.admin.rights import caller, demand
from portal.errors import Refusal
from portal.permissions import Right
from portal.sign_in import confirming

COLOURS = {
    Standing.OK: "success",
    Standing.FAILING: "warning",
    Standing.PAUSED: "warning",
    Standing.OFF: "default",
    Standing.GONE: "danger",
}
SHOWN = (
    *("standing", "waiting", "last_success", "failing_since", "rest_until", "last_failure"),
    *("paused_at", "paused_because", "former_until", "made_by", "created"),
)


@admin.register(Webhook)
class WebhookAdmin(ShownOnceAdmin):
    """Whom the portal tells of events."""

    area = "SYSTEM"
    form = WebhookForm
    confirmed_first = frozenset({"add", "change"})
    secret_title = _("The secret of the webhook")
    hidden = frozenset({"secret", "former_secret", "url"})
    change_form_template = "admin/messaging/webhook/change_form.html"
    actions = ("send_test", "pause", "resume")
    list_display = ("known_by", "coloured_state", "chosen", "last_success", "waiting", "last_failure")
    list_display_links = ("known_by",)
    list_filter = ("enabled", "format")
    search_fields = ("name",)
    list_select_related = ("made_by",)
    readonly_fields = ("shown_url", "shown_events", *SHOWN)
    #: What a button does, by its name in the address; a reader is offered none.
    deeds: ClassVar[dict[str, tuple[str | Promise, str]]] = {
        "send_test": (_("Send a test"), "send"),
        "pause": (_("Pause"), "pause"),
        "resume": (_("Resume"), "play_arrow"),
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        return webhooks.with_waiting(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        asked = WebhookForm.Meta.fields if writes else ("name", "shown_url", "shown_events", "format", "enabled")
        own = (None, {"fields": asked})
        return (own, (_("How it fares"), {"fields": SHOWN})) if obj else (own,)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may send holds SYSTEM_CREATE too, and that alone makes nobody somebody who has events sent away.
        return self.holds(request, Right.SYSTEM_READ, Right.SYSTEM_CREATE)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/act/<slug:name>/", wrap(self.act_view), name="messaging_webhook_act"),
            path("<int:pk>/secret/", wrap(self.secret_view), name="messaging_webhook_secret"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        webhook = self.get_object(request, object_id)
        context = {"deeds": self._deeds_for(request, webhook), "deliveries": deliveries_of(object_id)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _deeds_for(self, request: HttpRequest, webhook: Webhook | None) -> dict[str, tuple[str | Promise, str]]:
        if webhook is None or not self.has_change_permission(request, webhook):
            return {}
        stopped = standing_of(webhook) in {Standing.PAUSED, Standing.OFF, Standing.GONE}
        waits = stopped or bool(webhook.failing_since or webhook.rest_until)
        offered = {"send_test": True, "pause": not stopped, "resume": waits}
        return {name: deed for name, deed in self.deeds.items() if offered[name]}

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """A button."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
        if name not in self.deeds:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        getattr(self, name)(request, [self._found(pk)])
        return HttpResponseRedirect(reverse("admin:messaging_webhook_change", args=(pk,)))

    @confirming.confirmed
    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Says what another secret means, and then makes it."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
        webhook = self._found(pk)
        if request.method == "POST":
            with transaction.atomic():
                made = webhooks.rotate(webhook)
                self.note(request, "rotate_secret", 200, webhook, {})
            return self.shown_once(request, made.webhook, made.secret)
        context = self.context_of(request, webhook) | {"title": gettext("Another secret")}
        return TemplateResponse(request, "admin/messaging/webhook/rotate.html", context)

    def _found(self, pk: int) -> Webhook:
        webhook = Webhook.objects.filter(pk=pk).first()
        if webhook is None:
            raise Http404
        return webhook

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if change:
            webhooks.change(obj, by=caller(request), **form.details())
        else:
            made = webhooks.create(by=caller(request), **form.details())
            obj.pk = made.webhook.pk
            request.META[SECRET] = made.secret

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        webhooks.remove(obj)

    @admin.action(description=_("Send a test"), permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: Any) -> None:
        for webhook in queryset:
            tested = webhooks.test(webhook)
            self.note(request, "test", 200, webhook, {"works": tested.works})
            level = messages.SUCCESS if tested.works else messages.ERROR
            messages.add_message(request, level, f"{webhook.name}: {tested.says}")

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        done = self._each(request, "pause", queryset, webhooks.pause)
        if done:
            said = ngettext(
                "%d webhook is paused; its events are kept.", "%d webhooks are paused; their events are kept.", done
            )
            messages.success(request, said % done)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        done = self._each(request, "resume", queryset, webhooks.resume)
        if done:
            said = ngettext("%d webhook is told again.", "%d webhooks are told again.", done)
            messages.success(request, said % done)

    def _each(self, request: HttpRequest, verb: str, rows: Any, deed: Callable[[Webhook], object]) -> int:
        """Does it to each and writes it down; a refusal is shown, and stops none of the others. How many it did."""
        done = 0
        for webhook in rows:
            try:
                with transaction.atomic():
                    deed(webhook)
                    self.note(request, verb, 200, webhook, {})
            except Refusal as refusal:
                with translation.override("en"):
                    self.note(request, verb, 409, webhook, {"refused": refusal.sentence})
                messages.error(request, f"{webhook.name}: {refusal.sentence}")
            else:
                done += 1
        return done

    @display(description=_("webhook"), header=True, ordering="name")  # type: ignore[untyped-decorator]
    def known_by(self, webhook: Webhook) -> list[str]:
        return [webhook.name, audit.mask_address(webhook.url)]

    @display(description=_("state"), label=COLOURS)  # type: ignore[untyped-decorator]
    def coloured_state(self, webhook: Webhook) -> tuple[str, str]:
        found = standing_of(webhook)
        return found.value, str(found.label)

    @admin.display(description=_("state"))
    def standing(self, webhook: Webhook) -> str:
        return str(standing_of(webhook).label)

    @admin.display(description=_("events"))
    def chosen(self, webhook: Webhook) -> str:
        return ", ".join(webhook.events)

    @admin.display(description=_("events"))
    def shown_events(self, webhook: Webhook) -> str:
        return in_words(webhook.events)

    @admin.display(description=_("address"))
    def shown_url(self, webhook: Webhook) -> str:
        return audit.mask_address(webhook.url)

    @admin.display(description=_("waiting"))
    def waiting(self, webhook: Webhook) -> Any:
        many = webhooks.waiting(webhook)
        if not many:
            return NOTHING
        address = deliveries_of(webhook.pk, state__exact=Delivered.PENDING)
        return format_html('<a class="underline" href="{}">{}</a>', address, many)

    @admin.display(description=_("last success"), ordering="last_success")
    def last_success(self, webhook: Webhook) -> str:
        return moment(webhook.last_success)


def deliveries_of(webhook: object, **asks: str) -> str:
    """The list of a webhook's deliveries."""
    asked = urlencode({"webhook__id__exact": webhook, **asks})
    return f"{reverse('admin:messaging_webhookdelivery_changelist')}?{asked}"
