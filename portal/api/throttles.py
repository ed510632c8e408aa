"""How many calls are taken in a minute: sign-ins of a host, and calls of a caller. Those beyond are answered with 429.

The Defender blocks whoever guesses; here the work is limited that even good callers may make.
"""

from typing import Any

from django.conf import settings
from oauth2_provider.models import AccessToken
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal import callers, rates
from portal.api.authentication import access
from portal.models import ApiKey


class PerMinute(BaseThrottle):
    """So many within a minute of the clock."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Counts the call, unless nothing limits it, and says whether it is one too many."""
        most = self.most()
        # A method that there is not is refused without any work.
        asks = hasattr(view, str(request.method).lower())
        return not most or not asks or rates.count(self.counted_as(request)) <= most

    def wait(self) -> float:
        """Seconds until the next minute."""
        return float(rates.left_of_minute())

    def most(self) -> int:
        """How many; 0: any number."""
        raise NotImplementedError

    def counted_as(self, request: Request) -> str:
        """Under which name."""
        raise NotImplementedError


class SignIns(PerMinute):
    """Passwords and secrets that a host has looked at, right ones too: each costs tens of milliseconds."""

    def most(self) -> int:
        return int(settings.API_SIGN_INS_PER_MINUTE)

    def counted_as(self, request: Request) -> str:
        return f"sign-in:{callers.host_of(callers.address_of(request))}"


class Calls(PerMinute):
    """All calls of a key, of a client, of a user; of a host, where nobody is known."""

    def most(self) -> int:
        return int(settings.API_CALLS_PER_MINUTE)

    def counted_as(self, request: Request) -> str:
        return f"call:{_caller(request)}"


def _caller(request: Request) -> str:
    if isinstance(request.auth, ApiKey):
        return f"key:{request.auth.pk}"
    if isinstance(request.auth, AccessToken) and not access.is_session(request.auth):
        return f"client:{request.auth.application_id}"
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"host:{callers.host_of(callers.address_of(request))}"
