"""What axes and Django ask around `authenticate()`: may this be tried at all, and what became of it."""

from typing import Any

from axes.handlers.base import AxesHandler
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from portal.authenticating import LivingAccounts
from portal.defender.counting import TURNED_AWAY, forgive, may_try, report
from portal.models import User


class Handler(AxesHandler):  # type: ignore[misc]
    """Counts in our own table: axes' would keep what strangers send, and knows no block that grows."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return may_try(request, _name(credentials))

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        if request is not None and TURNED_AWAY not in request.META:
            report(request, _name(credentials))

    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        if isinstance(user, User):
            forgive(request, user)


class PasswordInTime(LivingAccounts):
    """A right password is refused where others used up the tries while it was looked at."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None and request is not None and not may_try(request, user):
            raise PermissionDenied
        return user


def _name(credentials: dict[str, Any] | None) -> str:
    name = (credentials or {}).get("username")
    return name if isinstance(name, str) else ""
