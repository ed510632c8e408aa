"""What the portal writes down by itself: the audit trail, answers kept, workers seen."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from portal.admin.display import preformatted, pretty
from portal.admin.rights import HistoryAdmin
from portal.models import AuditEvent, IdempotencyRecord, WorkerHeartbeat


@admin.register(AuditEvent)
class AuditEventAdmin(HistoryAdmin):
    """Who did what, when and from where."""

    area = "AUDITING"
    list_display = ("at", "user_name", "action", "object_id", "status", "address")
    list_filter = ("at", "status", "method")
    search_fields = ("user_name", "action", "object_id", "address")
    fields = ("at", "user_name", "user", "address", "action", "object_id", "method", "path", "pretty_request", "status")
    readonly_fields = ("pretty_request",)

    @admin.display(description=_("request"))
    def pretty_request(self, event: AuditEvent) -> str:
        return preformatted(pretty(event.request))


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(HistoryAdmin):
    """That an answer is kept, and until when it matters; what it says may be for other eyes."""

    area = "SYSTEM"
    hidden = frozenset({"fingerprint", "answer"})
    fields = list_display = ("created", "user", "endpoint", "key", "status")
    list_select_related = ("user",)
    ordering = ("-created",)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(HistoryAdmin):
    """Which workers are there."""

    area = "SYSTEM"
    fields = list_display = ("worker", "at")
    ordering = ("-at",)
