"""A form that came without its token, in the words of guests."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE

from guests.views.page import page


def refuse(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open for too long, or the browser keeps no cookies."""
    return page(request, "stale", keeps_cookies=reason != REASON_NO_CSRF_COOKIE, status=403)
