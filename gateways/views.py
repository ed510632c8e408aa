"""The page `/sandbox/`: what the sandbox phone received, as a phone shows it, for administrators only."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseForbidden
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gateways import sandbox
from gateways.models import SandboxSms
from portal.permissions import Right, may
from portal.sign_in.devices import is_satisfied

#: More than fit on a screen, and few enough to be sent every second.
SHOWN = 50
PLAIN = "text/plain; charset=utf-8"

View = Callable[[HttpRequest], HttpResponseBase]


def for_administrators(view: View) -> View:
    """Strangers are asked to sign in; who lacks any right is refused. The page is kept by no cache.

    The texts that arrive here hold guests' passwords, which no right to read gives out anywhere else.
    """

    @require_safe
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if not is_satisfied(request.user):
            return redirect_to_login(request.get_full_path())
        if not may(request.user, *Right):
            # Answered and not raised: Django logs a traceback for the exception.
            return HttpResponseForbidden(_("Only administrators may see this page."), content_type=PLAIN)
        return view(request)

    return guarded


@for_administrators
def phone(request: HttpRequest) -> HttpResponse:
    """The whole page; it works by reloading where there is no JavaScript."""
    return render(request, "gateways/sandbox.html", _inbox() | {"magic": sandbox.MAGIC})


@for_administrators
def inbox(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return render(request, "gateways/sandbox_inbox.html", _inbox())


def _inbox() -> dict[str, object]:
    return {"messages_received": arrived_lately(), "today": timezone.localdate()}


def arrived_lately() -> list[SandboxSms]:
    """The newest messages first."""
    return list(sandbox.arrived().select_related("gateway").order_by("-received", "-pk")[:SHOWN])
