"""What the portal writes down by itself: tokens given out, second factors, the audit trail, answers, workers seen."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.admin.display import moment, preformatted, pretty
from portal.admin.rights import HistoryAdmin, RightsAdmin
from portal.models import ApiToken, AuditEvent, IdempotencyRecord, RecoveryCodes, TotpDevice, WorkerHeartbeat


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


@admin.register(TotpDevice)
class TotpDeviceAdmin(HistoryAdmin):
    """Who has which authenticator app. Its owner removes it, or an administrator on the user's page."""

    area = "SYSTEM"
    hidden = frozenset({"key"})
    fields = list_display = ("user", "name", "created_at", "last_used_at", "throttling_failure_count")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username", "pk")


@admin.register(RecoveryCodes)
class RecoveryCodesAdmin(HistoryAdmin):
    """Who has how many recovery codes left."""

    area = "SYSTEM"
    hidden = frozenset({"digests"})
    fields = list_display = ("user", "codes_left", "created_at", "last_used_at")
    readonly_fields = ("codes_left",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username",)

    @admin.display(description=_("codes left"))
    def codes_left(self, codes: RecoveryCodes) -> int:
        return codes.left


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
