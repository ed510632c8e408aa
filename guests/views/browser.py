"""The guest's browser: the cookies by which it is known again, and what it says of where the guest is.

There is no session: the token of a registration is a cookie, and the database keeps its digest.
"""

import secrets
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from guests import registration
from guests.applying import Visitor
from guests.models import Registration
from portal import callers

REGISTRATION = "portal_registration"
DEVICE = "portal_device"
DAY = 24 * 60 * 60
YEAR = 365 * DAY


def keep(response: HttpResponseBase, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads and no other site sends."""
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=settings.HTTPS)


def own(request: HttpRequest) -> Registration | None:
    """The registration that this browser began, or resumed, last."""
    return registration.of_token(request.COOKIES.get(REGISTRATION, ""))


def keep_registration(response: HttpResponseBase, token: str) -> None:
    """From now on the browser is known by this token."""
    keep(response, REGISTRATION, token, DAY)


def recognise(request: HttpRequest, response: HttpResponseBase) -> None:
    """Gives the browser what tells it from others, unless it has that."""
    if not request.COOKIES.get(DEVICE):
        keep(response, DEVICE, secrets.token_urlsafe(24), YEAR)


def device_of(request: HttpRequest) -> str:
    """The digest of what tells the browser from others; empty where nothing does."""
    known = request.COOKIES.get(DEVICE, "")
    return registration.digest(known) if known else ""


def visitor_of(request: HttpRequest) -> Visitor:
    """Where the request comes from, for the limits, and where the SMS is to lead."""
    return Visitor(
        address=callers.address_of(request),
        device=device_of(request),
        host=urlsplit(settings.PORTAL_URL).netloc or request.get_host(),
        root=settings.PORTAL_URL,
    )
