"""The page `/sandbox/`: what the sandbox phone received, as a phone shows it."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gateways import sandbox
from gateways.models import SandboxSms
from portal.permissions import Right, may

#: More than fit on a screen, and few enough to be sent every second.
SHOWN = 50

View = Callable[[HttpRequest], HttpResponseBase]


def for_staff(view: View) -> View:
    """Strangers are asked to sign in; those who may not read messages are refused. The page is kept by no cache."""

    @require_safe
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not may(request.user, Right.SMS_GATEWAY_READ, Right.MESSAGES_READ):
            raise PermissionDenied
        return view(request)

    return guarded


@for_staff
def phone(request: HttpRequest) -> HttpResponse:
    """The whole page; it works by reloading where there is no JavaScript."""
    return render(request, "gateways/sandbox.html", _inbox() | {"magic": sandbox.MAGIC})


@for_staff
def inbox(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return render(request, "gateways/sandbox_inbox.html", _inbox())


def _inbox() -> dict[str, object]:
    return {"messages_received": arrived_lately(), "today": timezone.localdate()}


def arrived_lately() -> list[SandboxSms]:
    """The newest messages first."""
    return list(sandbox.arrived().select_related("gateway").order_by("-received", "-pk")[:SHOWN])
