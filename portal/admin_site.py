"""The admin site: its title, and the audit trail of what belongs to no model or was refused.

What was done to rows is written down by `portal/admin/rights.py`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.templatetags.static import static
from django.utils.translation import gettext
from unfold.sites import UnfoldAdminSite

from portal import admin_trail
from portal.permissions import Right


class PortalAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Unfold's site under our name."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """As Django's; an unsafe request that is forbidden or finds errors in its form is written down."""

        @wraps(view)
        def audited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                response: HttpResponseBase = view(request, *args, **kwargs)
            except PermissionDenied as refused:
                if request.method == "POST":
                    admin_trail.note_page(request, 403)
                raise PermissionDenied(str(refused) or _lacking(request)) from refused
            if request.method == "POST" and _has_errors(response):
                admin_trail.note_page(request, 422)
            return response

        return super().admin_view(audited, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST":
            admin_trail.note_sign_in(request, 401 if _has_errors(response) else 200)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            admin_trail.note_page(request, 200)
        return response


def title(_request: HttpRequest) -> str:
    """The portal's name, on every page."""
    return gettext("Guest SMS Portal")


def stylesheet(_request: HttpRequest) -> str:
    """Our few rules beside Unfold's."""
    return static("portal/admin.css")


def script(_request: HttpRequest) -> str:
    """What makes Unfold's pages readable to those who hear them."""
    return static("portal/admin.js")


def symbol(_request: HttpRequest) -> str:
    """Our mark: on the tab of the browser and on top of the navigation."""
    return static("portal/symbol.svg")


def _lacking(request: HttpRequest) -> str:
    """Which right would open the page, where that is known."""
    right: Right | None = request.META.get(admin_trail.LACKING)
    if right is None:
        return ""
    sentence = gettext("For this you need the right “%(label)s” (%(name)s).")
    return sentence % {"label": right.label, "name": right.value}


def _has_errors(response: HttpResponseBase) -> bool:
    context = getattr(response, "context_data", None) or {}
    return bool(context.get("errors") or getattr(context.get("form"), "errors", None))
