"""Steps in the admin; the page of a message tells them as a timeline."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from messaging.models import Step
from portal.admin.rights import HistoryAdmin


@admin.register(Step)
class StepAdmin(HistoryAdmin):
    """Each wait and each change of which neither an attempt nor a receipt tells."""

    area = "MESSAGES"
    list_display = ("at", "message", "state", "waits_for", "until", "gateway", "by", "reason")
    fields = ("message", "at", "state", "waits_for", "until", "gateway", "came_from", "by", "reason")
    list_filter = ("state", "waits_for", "gateway")
    list_select_related = ("gateway", "by")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("message", "gateway", "by").defer("message__text")
