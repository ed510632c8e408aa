"""A guest's visit to *My access*: a signed cookie and no session. It ends by itself, and with another password.

Another password or phone ends all visits but the one in which it was set, because that one is opened anew.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from guests.models import Guest
from guests.views import browser

COOKIE = "portal_visit"
PATH = "/guest/"
#: A visit ends so long after the last page, and so long after it began.
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=4)

_SALT = "guests.visits"


class _Visit(NamedTuple):
    guest: int
    seal: str
    began: int


def open(response: HttpResponse, guest: Guest) -> None:  # noqa: A001 — a visit is opened and closed
    """Whoever gets this answer is the guest, for a while."""
    _set(response, guest, timezone.now())


def go_on(request: HttpRequest, response: HttpResponse, guest: Guest) -> None:
    """The visit lasts longer, though not beyond LONGEST from its beginning."""
    visit = _read(request)
    if visit is not None:
        _set(response, guest, _time(visit.began))


def guest_of(request: HttpRequest) -> Guest | None:
    """Whose visit this is, as the guest is now; None where there is none, or the guest may have none."""
    visit = _read(request)
    if visit is None:
        return None
    rows = Guest.objects.select_related("guest_type").filter(anonymised_at=None, banned=False)
    guest = rows.filter(pk=visit.guest).first()
    return guest if guest and constant_time_compare(visit.seal, _seal(guest)) else None


def close(response: HttpResponse) -> None:
    """The guest has left."""
    response.delete_cookie(COOKIE, path=PATH, samesite=browser.SAMESITE)


def _set(response: HttpResponse, guest: Guest, began: datetime) -> None:
    visit = _Visit(guest.pk, _seal(guest), int(began.timestamp()))
    browser.keep(response, COOKIE, signing.dumps(visit, salt=_SALT), int(IDLE.total_seconds()), path=PATH)


def _read(request: HttpRequest) -> _Visit | None:
    try:
        visit = _Visit(*signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=IDLE))
    except signing.BadSignature:
        return None
    return visit if timezone.now() < _time(visit.began) + LONGEST else None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.get_default_timezone())


def _seal(guest: Guest) -> str:
    """Of what the guest came in with; it tells nothing of either."""
    return salted_hmac(_SALT, f"{guest.phone} {guest.password}", algorithm="sha256").hexdigest()[:32]
