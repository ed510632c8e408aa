"""What the portal writes down by itself: answers kept, workers seen. The audit trail is apart."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.admin.rights import HistoryAdmin
from portal.models import IdempotencyRecord, LastRun, RunningTotal, WorkerHeartbeat


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(HistoryAdmin):
    """That an answer is kept, and until when it matters; what it says may be for other eyes."""

    area = "SYSTEM"
    hidden = frozenset({"fingerprint", "answer"})
    fields = list_display = ("created", "user", "program", "endpoint", "key", "status")
    list_select_related = ("user",)
    ordering = ("-created",)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(HistoryAdmin):
    """Which workers are there."""

    area = "SYSTEM"
    fields = list_display = ("worker", "at", "started_at", "version")
    ordering = ("-at",)


@admin.register(RunningTotal)
class RunningTotalAdmin(HistoryAdmin):
    """What `/metrics` tells as counters."""

    area = "SYSTEM"
    fields = list_display = ("counter", "labels", "value", "at")
    ordering = ("name", "labels")

    @admin.display(description=_("name"), ordering="name")
    def counter(self, total: RunningTotal) -> SafeString:
        """Its name in `/metrics`: a word for programs, in no language."""
        return format_html("<code>{}</code>", total.name)


@admin.register(LastRun)
class LastRunAdmin(HistoryAdmin):
    """What runs regularly."""

    area = "SYSTEM"
    fields = ("name", "at", "seconds", "result")
    list_display = ("name", "at", "seconds")
    ordering = ("name",)
