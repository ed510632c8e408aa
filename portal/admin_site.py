"""The admin site: its title, and the audit trail of what belongs to no model or was refused.

What was done to rows is written down by `portal/admin/rights.py`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from portal import admin_trail
from portal.permissions import Right, may


class PortalAdminSite(admin.AdminSite):
    """Django's site under our name; a later one may dress it differently."""

    site_header = site_title = _("Guest SMS Portal")
    site_url = None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """As Django's; `sees_everything` is for links to pages that need every right."""
        return super().each_context(request) | {"sees_everything": may(request.user, *Right)}

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """As Django's; an unsafe request that is forbidden or finds errors in its form is written down."""

        @wraps(view)
        def audited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                response: HttpResponseBase = view(request, *args, **kwargs)
            except PermissionDenied:
                if request.method == "POST":
                    admin_trail.note_page(request, 403)
                raise
            if request.method == "POST" and _has_errors(response):
                admin_trail.note_page(request, 422)
            return response

        return super().admin_view(audited, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().login(request, extra_context)
        if request.method == "POST":
            admin_trail.note_sign_in(request, 401 if _has_errors(response) else 200)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            admin_trail.note_page(request, 200)
        return response


def _has_errors(response: HttpResponseBase) -> bool:
    context = getattr(response, "context_data", None) or {}
    return bool(context.get("errors") or getattr(context.get("form"), "errors", None))
