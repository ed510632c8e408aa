"""Guests as files: the list as CSV, the same guests under the same filters; and all that is kept of one, as JSON."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from guests import own_access, states
from guests.importing import columns
from portal import admin_trail
from portal.admin.csv_answer import csv_answer
from portal.admin.rights import RightsAdmin, demand
from portal.permissions import Right

AT_ONCE = 1000


class ExportPages(RightsAdmin):
    """Adds the exports to the pages of guests."""

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(require_POST(self.export))
        one = self.admin_site.admin_view(require_POST(self.export_one))
        own = [
            path("export/", export, name="guests_guest_export"),
            path("<int:pk>/export/", one, name="guests_guest_export_one"),
        ]
        return [*own, *super().get_urls()]

    def export_one(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """For a guest who asks what is known."""
        demand(request, Right.USERS_READ)
        guest = self.get_queryset(request).filter(pk=pk).first()
        if guest is None:
            raise Http404
        self.note(request, "export_data", 200, guest, {})
        headers = {"Content-Disposition": f'attachment; filename="guest-{pk}.json"'}
        return JsonResponse(
            own_access.export(guest), headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 2}
        )

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The guests that the list shows with these filters, all its pages."""
        demand(request, Right.USERS_READ)
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:guests_guest_changelist"))
        # What was searched for may be a name or a phone.
        details = {"guests": found.count(), "filters": sorted(request.GET)}
        admin_trail.note(request, "guests_guest_export", 200, details=details)
        headings = [*(columns.label(field) for field in columns.FIELDS), capfirst(gettext("state"))]
        return csv_answer("guests", headings, _rows(found, timezone.get_current_timezone()))


def _rows(guests: Any, zone: tzinfo) -> Iterator[list[str]]:
    """The columns that an import reads, and the state under its wire name."""
    for guest in guests.iterator(AT_ONCE):
        yield [*(_cell(getattr(guest, field), zone) for field in columns.FIELDS), states.of(guest).value]


def _cell(value: Any, zone: tzinfo) -> str:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
