"""What a session of the admin is: begun by one function, and ended when it is left idle or has lived its longest.

Whoever is signed in has given everything that was asked for; who has given the password only is in `waiting.py`.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, login, logout
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as verified_by
from django_otp.models import Device

from portal.models import User

#: Names of moments in the session, as seconds of the clock.
BEGUN = "signed_in_at"
SEEN = "seen_at"
CONFIRMED = "confirmed_at"
#: Whether a second factor was given; it ends with its device.
VERIFIED = "second_factor_given"

#: The use is written down this often, so that a page that is only read writes nothing.
SEEN_EVERY = 60
#: Seconds for which somebody who proved who he is need not do so again.
CONFIRMATION_LASTS = 10 * 60


def begin(request: HttpRequest, user: User, device: Device | None = None) -> None:
    """Signs the user in, who has given a password, a passkey, or a password and the code of a device."""
    login(request, user, backend=backend_of(user))
    # A passkey's challenge may have begun the session, for some minutes.
    request.session.set_expiry(None)
    request.session.update(dict.fromkeys((BEGUN, SEEN, CONFIRMED), now()))
    if device is not None:
        verify(request, device)


def verify(request: HttpRequest, device: Device) -> None:
    """The signed-in user has given this second factor."""
    verified_by(request, device)
    request.session[VERIFIED] = True


def confirm(request: HttpRequest) -> None:
    """The signed-in user has just proved who he is."""
    request.session[CONFIRMED] = now()


def is_confirmed(request: HttpRequest) -> bool:
    """Whether that was less than ten minutes ago."""
    return now() - int(request.session.get(CONFIRMED, 0)) < CONFIRMATION_LASTS


def forget_second_factor(request: HttpRequest) -> None:
    """The signed-in user has removed the device that the session was verified by, and goes on without."""
    for name in (VERIFIED, DEVICE_ID_SESSION_KEY):
        request.session.pop(name, None)


def backend_of(user: User) -> str:
    """What will find the user again with each request: who let him in, or the last that is configured.

    Whoever comes by passkey was let in by none of them.
    """
    return str(getattr(user, "backend", "") or settings.AUTHENTICATION_BACKENDS[-1])


def now() -> int:
    """Whole seconds of the clock."""
    return int(time.time())


class SessionEnds:
    """Middleware that signs people out when their time is over."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Without the cookie the session is not even looked at: programs have none.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            self._end_or_note(request)
        return self.get_response(request)

    def _end_or_note(self, request: HttpRequest) -> None:
        reason = why_over(request)
        if reason:
            logout(request)
            messages.info(request, reason)
        else:
            note_use(request)


def why_over(request: HttpRequest) -> str:
    """The sentence for a session whose time is over; empty where it is not."""
    session: Any = request.session
    minutes: int = settings.ADMIN_IDLE_MINUTES
    # The last use is known to SEEN_EVERY seconds: nobody is signed out before the time that was promised.
    if now() - session.get(SEEN, now()) >= minutes * 60 + SEEN_EVERY:
        sentence = ngettext(
            "You were signed out after %d minute without use. Please sign in again.",
            "You were signed out after %d minutes without use. Please sign in again.",
            minutes,
        )
        return sentence % minutes
    if now() - session.get(BEGUN, now()) >= settings.SESSION_COOKIE_AGE:
        return _("You were signed out, because a session lasts twelve hours at most. Please sign in again.")
    if session.get(VERIFIED) and getattr(request.user, "otp_device", None) is None:
        return _("You were signed out, because your second factor was removed. Please sign in again.")
    return ""


def note_use(request: HttpRequest) -> None:
    """Counts this request, in the database at most every SEEN_EVERY seconds."""
    session = request.session
    session.setdefault(BEGUN, now())
    seen = session.setdefault(SEEN, now())
    if now() - seen >= SEEN_EVERY and is_a_persons(request):
        session[SEEN] = now()


def is_a_persons(request: HttpRequest) -> bool:
    """Whether a person did something. A page that refreshes its figures by script is no sign of one."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return request.method != "GET" or mode == "navigate"
