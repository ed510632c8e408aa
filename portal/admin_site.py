"""The admin site: its title, its front page, and the audit trail of what belongs to no model or was refused.

What was done to rows is written down by `portal/admin/rights.py`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.actions import delete_selected
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from portal import admin_trail
from portal.models import User
from portal.permissions import Right, may
from portal.sign_in import arriving, devices
from portal.sign_in.entrance import PasswordStep
from portal.sign_in.own_password import OwnPassword
from portal.sign_in.urls import routes

#: In the address of the front page: the panels alone, for the page that brings itself up to date.
PANELS_ONLY = "panels"


class PortalAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Unfold's site under our name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As Django's, but the rows and what the audit trail says of them are one transaction.
        self.add_action(transaction.atomic(delete_selected), "delete_selected")

    def get_urls(self) -> Any:
        # Named late: the pages register themselves at this site, which is not there yet.
        system = self.admin_view(import_string("portal.admin.system.page"))
        return [path("system/", system, name="system"), *super().get_urls()]

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

    @method_decorator(never_cache)
    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard."""
        # Named late: pages of models, which are beside it, register with this site while they are imported.
        board = import_string("portal.admin.dashboard.board")(request)
        context = {"title": gettext("Dashboard"), "board": board, "panels_only": PANELS_ONLY}
        if PANELS_ONLY in request.GET:
            return TemplateResponse(request, "portal/dashboard_panels.html", context)
        response: TemplateResponse = super().index(request, context | (extra_context or {}))
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, no programs, and with a second factor where it is asked for."""
        user = request.user
        return isinstance(user, User) and arriving.may_come_in(user) and devices.is_satisfied(user)

    def extra_urls(self) -> list[URLPattern]:
        return routes(self.admin_view)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The first step; its form leads to the others."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": gettext("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            **(extra_context or {}),
        }
        request.current_app = self.name
        return PasswordStep.as_view(extra_context=context)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**self.each_context(request), **(extra_context or {})}
        request.current_app = self.name
        response = OwnPassword.as_view(extra_context=context)(request)
        if request.method == "POST" and response.status_code == 302:
            admin_trail.note_page(request, 200)
        return response


def title(_request: HttpRequest) -> str:
    """The portal's name, on every page."""
    return gettext("Guest SMS Portal")


def may_read_history(request: HttpRequest) -> bool:
    """Whether each object's page has a link to what the audit trail says of it."""
    return may(request.user, Right.AUDITING_READ)


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
