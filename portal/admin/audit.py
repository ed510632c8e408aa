"""The audit trail's pages: found by whom, what, when and with what result; read in full; exported."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from portal import admin_trail
from portal.admin import audit_export
from portal.admin.display import NOTHING, pretty
from portal.admin.filters import ConditionFilter, TimeRangeFilter
from portal.admin.rights import HistoryAdmin
from portal.models import AuditEvent

BY_ADMIN = Q(action__startswith="admin:")


class KindFilter(ConditionFilter):
    """What kind of thing was done."""

    title = _("what was done")
    parameter_name = "kind"
    conditions: ClassVar = {
        "signing_in": (_("signing in or out"), Q(action__in=("login", "logout", "admin:login", "admin:logout"))),
        "sending": (_("sending"), Q(action__contains="send") | Q(action__endswith="test")),
        "adding": (_("adding"), Q(status=201) | Q(action__endswith="_add")),
        "changing": (_("changing"), Q(method__in=("PATCH", "PUT")) | Q(action__endswith="_change")),
        "deleting": (_("deleting"), Q(method="DELETE") | Q(action__endswith="_delete")),
        "exporting": (_("exporting"), Q(action__endswith="_export")),
    }


class ResultFilter(ConditionFilter):
    """How it ended."""

    title = _("result")
    parameter_name = "result"
    conditions: ClassVar = {
        "done": (_("done"), Q(status__lt=400)),
        "refused": (_("refused"), Q(status__gte=400, status__lt=500)),
        "failed": (_("failed"), Q(status__gte=500)),
    }


class DoorFilter(ConditionFilter):
    """By which way in it came."""

    title = _("way in")
    parameter_name = "door"
    conditions: ClassVar = {"admin": (_("admin pages"), BY_ADMIN), "api": (_("API"), ~BY_ADMIN)}


class MethodFilter(ConditionFilter):
    """The method of the request."""

    title = _("method")
    parameter_name = "with_method"
    conditions: ClassVar = {name: (name, Q(method=name)) for name in ("POST", "PATCH", "PUT", "DELETE", "GET")}


@admin.register(AuditEvent)
class AuditEventAdmin(HistoryAdmin):
    """Who did what, when and from where."""

    area = "AUDITING"
    change_list_template = "portal/admin/audit_list.html"
    list_display = ("when", "user_name", "action", "object_id", "status", "address")
    list_filter = (
        ("at", TimeRangeFilter),
        ("user", AutocompleteSelectFilter),
        *(KindFilter, ResultFilter, DoorFilter, MethodFilter),
    )
    list_filter_submit = True
    search_fields = ("user_name", "action", "object_id", "address")
    search_help_text = _("User, action, object or address")
    readonly_fields = ("when", "changed", "asked")
    fieldsets = (
        (None, {"fields": ("when", "user_name", "user", "address", "action", "object_id", "method", "path", "status")}),
        (_("Old and new values"), {"fields": ("changed",)}),
        (_("What was asked for"), {"fields": ("asked",)}),
    )

    def get_urls(self) -> Any:
        export = self.admin_site.admin_view(require_POST(self.export))
        return [path("export/", export, name="portal_auditevent_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The events that the list shows with these filters, all its pages, as CSV. The export is an event itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied(self._right("READ"))
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except admin.options.IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:portal_auditevent_changelist"))
        admin_trail.note(request, "portal_auditevent_export", 200, details={"filters": dict(request.GET.items())})
        return audit_export.answer(found)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        # It is history itself.
        return super().change_view(request, object_id, form_url, {"show_history": False} | (extra_context or {}))

    @admin.display(description=_("when"), ordering="at")
    def when(self, event: AuditEvent) -> str:
        at = timezone.localtime(event.at)
        return f"{formats.date_format(at)} {at:%H:%M:%S}"

    @admin.display(description=_("changes"))
    def changed(self, event: AuditEvent) -> str:
        labels = labels_of(event.action)
        rows = [[labels.get(name, name), shown(old), shown(new)] for name, (old, new) in event.changes.items()]
        return as_table([_("Field"), _("Before"), _("After")], rows)

    @admin.display(description=_("request"))
    def asked(self, event: AuditEvent) -> str:
        if not isinstance(event.request, dict):
            return shown(event.request)
        labels = labels_of(event.action)
        rows = [[labels.get(name, name), shown(value)] for name, value in event.request.items()]
        return as_table([_("Field"), _("Value")], rows)


def as_table(headers: Sequence[str | Promise], rows: Sequence[Sequence[str | None]]) -> str:
    """A small table; a dash where there is nothing to show."""
    return render_to_string("portal/admin/small_table.html", {"headers": headers, "rows": rows}) if rows else NOTHING


def shown(value: Any) -> str:
    """A value of a JSON document as people read it."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else pretty(value)


def labels_of(action: str) -> dict[str, str]:
    """What people call the fields of the model that an admin page is about; the API's names are their own."""
    app, _underscore, rest = action.removeprefix("admin:").partition("_")
    model = _model(app, rest.partition("_")[0]) if action.startswith("admin:") else None
    named = model._meta.get_fields() if model else []
    return {field.name: capfirst(str(field.verbose_name)) for field in named if hasattr(field, "verbose_name")}


def _model(app: str, name: str) -> type[Model] | None:
    try:
        return apps.get_model(app, name)
    except LookupError:
        return None
