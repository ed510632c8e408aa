"""What the portal writes down by itself: tokens given out, answers kept, workers seen. The audit trail is apart."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.admin.display import moment
from portal.admin.rights import HistoryAdmin, RightsAdmin
from portal.models import ApiToken, IdempotencyRecord, LastRun, RunningTotal, WorkerHeartbeat


@admin.register(ApiToken)
class ApiTokenAdmin(RightsAdmin):
    """A token can be looked at and ended; it is given out by the API's login only."""

    area = "SYSTEM"
    hidden = frozenset({"digest", "token_key"})
    fields = list_display = ("owner", "issued", "last_used", "ends", "address")
    readonly_fields = ("owner", "issued", "ends")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-created",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, token: ApiToken) -> str:
        return str(token.user)

    @admin.display(description=_("issued"), ordering="created")
    def issued(self, token: ApiToken) -> str:
        return moment(token.created)

    @admin.display(description=_("expires"), ordering="expiry")
    def ends(self, token: ApiToken) -> str:
        return moment(token.expiry)


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
    fields = list_display = ("worker", "at", "started_at", "version")
    ordering = ("-at",)


@admin.register(RunningTotal)
class RunningTotalAdmin(HistoryAdmin):
    """What `/metrics` tells as counters."""

    area = "SYSTEM"
    fields = list_display = ("name", "labels", "value", "at")
    ordering = ("name", "labels")


@admin.register(LastRun)
class LastRunAdmin(HistoryAdmin):
    """What runs regularly."""

    area = "SYSTEM"
    fields = ("name", "at", "seconds", "result")
    list_display = ("name", "at", "seconds")
    ordering = ("name",)
