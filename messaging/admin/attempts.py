"""Attempts and receipts in the admin, as they were put on record."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from messaging.models import Attempt, DeliveryEvent
from portal.admin.display import NOTHING, preformatted, pretty
from portal.admin.rights import HistoryAdmin


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
