"""The guest's browser: the cookies by which it is known again, and what it says of where the guest is.

There is no session: the token of a registration is a cookie, and the database keeps its digest.
"""

import secrets
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from guests.applying import Visitor
from guests.captive import arrivals
from guests.captive.arrivals import Arrival
from guests.models import Registration
from guests.registration import tokens
from portal import callers

REGISTRATION = "portal_registration"
DEVICE = "portal_device"
ARRIVAL = "portal_arrival"
#: Characters of a cookie that every browser keeps.
LONGEST = 3000
SAMESITE: Final = "Lax"
DAY = 24 * 60 * 60
YEAR = 365 * DAY


def keep(response: HttpResponseBase, name: str, value: str, seconds: int, path: str = "/") -> None:
    """A cookie that no script reads and no other site sends, for the pages below `path`."""
    response.set_cookie(
        name, value, max_age=seconds, path=path, httponly=True, samesite=SAMESITE, secure=settings.HTTPS
    )


def own(request: HttpRequest) -> Registration | None:
    """The registration that this browser began, or resumed, last."""
    return tokens.of_token(request.COOKIES.get(REGISTRATION, ""))


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
    return tokens.digest(known) if known else ""


def arrival_of(request: HttpRequest, site: str = "") -> Arrival:
    """What the network passed in the address of the page; else what it passed before, to this page or another."""
    passed = arrivals.arrival_of(request.GET, site)
    if _says_something(passed):
        return passed
    try:
        return Arrival.from_json(signing.loads(request.COOKIES.get(ARRIVAL, ""), salt=ARRIVAL))
    except signing.BadSignature:
        former = own(request)
        return Arrival.from_json(former.arrival if former else None)


def keep_arrival(response: HttpResponseBase, arrival: Arrival) -> None:
    """For the pages whose address does not have it; one that fits no cookie stays in the address alone."""
    kept = signing.dumps(arrival.as_json(), salt=ARRIVAL, compress=True)
    if _says_something(arrival) and len(kept) < LONGEST:
        keep(response, ARRIVAL, kept, DAY)


def visitor_of(request: HttpRequest, arrival: Arrival | None = None) -> Visitor:
    """Where the request comes from, for the limits, and where the SMS is to lead. One device is always the same one."""
    arrival = arrival or arrival_of(request)
    return Visitor(
        address=callers.address_of(request),
        device=device_of(request),
        mac=arrival.mac,
        arrival=arrival.as_json() if _says_something(arrival) else {},
        host=urlsplit(settings.PORTAL_URL).netloc or request.get_host(),
        root=settings.PORTAL_URL,
    )


def _says_something(arrival: Arrival) -> bool:
    return arrival != Arrival(dialect=arrival.dialect)
