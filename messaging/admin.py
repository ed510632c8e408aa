"""Messages in the admin, to be read, sent again or taken back; what came in; opt-outs; and the templates of texts."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gateways.admin import ACTIONS
from messaging import opt_outs, sending, texts, waiting
from messaging.gateway_tests import send_test
from messaging.models import (
    Attempt,
    DeliveryEvent,
    InboundMessage,
    Message,
    MessageTemplate,
    OptOut,
    Tally,
    TallyProgress,
)
from portal.admin.display import NOTHING, as_written, moment, preformatted, pretty
from portal.admin.rights import DomainAdmin, DomainForm, HistoryAdmin, HistoryInline, RightsAdmin
from portal.errors import Refusal
from portal.permissions import SENDING


class AttemptInline(HistoryInline):
    """Each time the message was handed over."""

    area = "MESSAGES"
    model = Attempt
    fields = ("started_at", "finished_at", "gateway", "outcome", "reference", "detail")


class DeliveryEventInline(HistoryInline):
    """What the provider reported of it."""

    area = "MESSAGES"
    model = DeliveryEvent
    fields = ("received_at", "at", "state", "reference", "detail")


@admin.register(Message)
class MessageAdmin(HistoryAdmin):
    """The journey of every message. Its secret text is in no field here; `shown_text` is the masked one."""

    area = "MESSAGES"
    hidden = frozenset({"text", "masked_text"})
    actions = ("send_again", "cancel")
    inlines = (AttemptInline, DeliveryEventInline)
    list_display = ("id", "state", "phone", "recipient_label", "kind", "created", "gateway", "reason")
    list_filter = ("state", "kind", "gateway", "created")
    list_select_related = ("gateway",)
    search_fields = ("phone", "recipient_label", "reference")
    readonly_fields = ("shown_text", "why_it_waits", "risk_of_resending")
    fieldsets = (
        (None, {"fields": ("kind", "phone", "recipient_label", "shown_text", "encoding", "segments")}),
        (
            _("Journey"),
            {
                "fields": (
                    *("state", "reason", "why_it_waits", "risk_of_resending"),
                    *("gateway", "wanted", "only_here", "reference"),
                )
            },
        ),
        (_("Times"), {"fields": ("created", "valid_until", "due_at", "submitted_at", "finished_at")}),
        (_("Origin"), {"fields": ("requested_by", "resend_of")}),
        (
            _("For the expert"),
            {"fields": ("priority", "epoch", "lease_until", "failures", "unclear", "ask_at", "asked")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # A list decrypts no text; the page of one message reads its own when it shows it.
        return super().get_queryset(request).defer("text")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions."""
        return self.holds(request, *SENDING)

    def audited_as(self, obj: Message) -> str:
        return str(obj.pk)

    @admin.display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        text = message.shown_text
        return as_written(text) if text else NOTHING

    @admin.display(description=_("waits for"))
    def why_it_waits(self, message: Message) -> str:
        found = waiting.why(message)
        if found is None:
            return NOTHING
        return f"{found.sentence} · {moment(found.until)}" if found.until else str(found.sentence)

    @admin.display(description=_("risk of sending it again"))
    def risk_of_resending(self, message: Message) -> str:
        return sending.risk_of_resending(message) or NOTHING

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        def resend(message: Message) -> None:
            risk = sending.risk_of_resending(message)
            sending.resend(message, requested_by=_caller(request))
            if risk:
                sentence = _("Message %(id)s: %(risk)s") % {"id": message.pk, "risk": risk}
                messages.warning(request, sentence)

        done = self._each(request, queryset, "resend", resend)
        if done:
            sentence = ngettext("%d message will be sent again.", "%d messages will be sent again.", done)
            messages.success(request, sentence % done)

    @admin.action(description=_("Cancel"), permissions=["send"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        done = self._each(request, queryset, "cancel", sending.cancel)
        if done:
            messages.success(request, ngettext("%d message was cancelled.", "%d messages were cancelled.", done) % done)

    def _each(self, request: HttpRequest, queryset: Any, verb: str, act: Callable[[Message], object]) -> int:
        """Does it to every message, the oldest first; how often it was done. A refusal stops none of the others."""
        done = 0
        for message in queryset.order_by("pk"):
            try:
                act(message)
            except Refusal as refusal:
                with translation.override("en"):
                    self.note(request, verb, 409, message, {"refused": refusal.sentence})
                messages.error(request, refusal.sentence)
            else:
                self.note(request, verb, 200, message, {})
                done += 1
        return done


def _caller(request: HttpRequest) -> Any:
    """The signed-in user; the admin lets nobody else in."""
    return request.user


ACTIONS.append(send_test)


@admin.register(Attempt)
class AttemptAdmin(HistoryAdmin):
    """Each time a message was handed to a gateway, with what was said."""

    area = "MESSAGES"
    list_display = ("started_at", "message", "gateway", "outcome", "reference", "detail")
    fields = (
        *("message", "gateway", "epoch", "key", "started_at", "finished_at"),
        *("outcome", "reference", "detail", "shown_exchange"),
    )
    readonly_fields = ("shown_exchange",)
    list_filter = ("outcome", "gateway", "started_at")
    search_fields = ("reference", "key")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("message", "gateway").defer("message__text")

    @admin.display(description=_("exchange, redacted"))
    def shown_exchange(self, attempt: Attempt) -> str:
        return preformatted(pretty(attempt.exchange)) if attempt.exchange else NOTHING


@admin.register(DeliveryEvent)
class DeliveryEventAdmin(HistoryAdmin):
    """What providers reported, as it came."""

    area = "MESSAGES"
    fields = list_display = ("received_at", "gateway", "reference", "state", "message", "at", "detail")
    list_filter = ("state", "gateway", "received_at")
    search_fields = ("reference",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("message", "gateway").defer("message__text")


@admin.register(InboundMessage)
class InboundMessageAdmin(HistoryAdmin):
    """What people wrote to us, word for word."""

    area = "MESSAGES"
    hidden = frozenset({"text", "fingerprint"})
    fields = ("gateway", "phone", "shown_text", "opted", "reference", "at", "received_at")
    readonly_fields = ("shown_text",)
    list_display = ("received_at", "phone", "shown_text", "opted", "gateway", "at")
    list_filter = ("opted", "gateway", "received_at")
    list_select_related = ("gateway",)
    search_fields = ("phone", "reference")

    def audited_as(self, obj: InboundMessage) -> str:
        return str(obj.pk)

    @admin.display(description=_("text"))
    def shown_text(self, inbound: InboundMessage) -> str:
        return as_written(inbound.text) if inbound.text else NOTHING


class OptOutForm(DomainForm):
    """The phone may be written in any usual way; `opt_outs` spells it and knows whether it is there already."""

    left_to_domain = frozenset({"phone"})


@admin.register(OptOut)
class OptOutAdmin(DomainAdmin):
    """Phones that want no information; `opt_outs` writes them. One is put on the list or taken off it, not changed."""

    area = "USERS"
    form = OptOutForm
    list_display = ("phone", "since", "added_by", "note")
    list_filter = ("since",)
    list_select_related = ("added_by",)
    search_fields = ("phone", "note")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("phone", "since", "inbound", "added_by", "note") if obj else ("phone", "note")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: OptOut, form: Any, change: bool) -> None:
        obj.pk = opt_outs.add(**form.cleaned_data, added_by=_caller(request)).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: OptOut) -> None:
        opt_outs.opt_in(obj.phone)

    def audited_as(self, obj: OptOut) -> str:
        return str(obj.pk)


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template that cannot be filled is refused before a guest needs it."""

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            texts.fill(text, username="", password="", portal="")
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None
        return text


@admin.register(MessageTemplate)
class MessageTemplateAdmin(RightsAdmin):
    """The texts that guests receive."""

    area = "SYSTEM"
    form = TemplateForm
    fields = list_display = ("kind", "language", "text")
    list_filter = ("kind", "language")


@admin.register(Tally)
class TallyAdmin(HistoryAdmin):
    """Messages counted by hour and day; `tallies` writes it."""

    area = "MESSAGES"
    list_display = ("start", "span", "gateway", "kind", "state", "messages", "segments", "cost", "currency")
    fields = (*list_display, "price", "times")
    list_filter = ("span", "kind", "state", "gateway", "start")
    list_select_related = ("gateway",)


@admin.register(TallyProgress)
class TallyProgressAdmin(HistoryAdmin):
    """How far the counting has come."""

    area = "MESSAGES"
    fields = list_display = ("turn", "busy_until", "seen_until", "built_from", "zone")
