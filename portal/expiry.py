"""When accounts of staff and programs end: an end that nobody forgets, because it is told beforehand."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

#: An end this near is told to whoever can move it.
SOON = timedelta(days=14)


def end_of(user: Any) -> datetime | None:
    """When the account ends, or None where it does not."""
    end: datetime | None = getattr(user, "expires_at", None)
    return end


def has_ended(user: Any) -> bool:
    """Whether the account is over."""
    end = end_of(user)
    return end is not None and end <= timezone.now()


def ends_soon(user: Any) -> bool:
    """Whether it still works and a person should think of it."""
    end = end_of(user)
    return end is not None and not has_ended(user) and end <= timezone.now() + SOON


def soon_over() -> Q:
    """The same of rows, where the account is switched on."""
    now = timezone.now()
    return Q(is_active=True, expires_at__gt=now, expires_at__lte=now + SOON)


def over() -> Q:
    """Rows of accounts that are over."""
    return Q(expires_at__lte=timezone.now())


def may_act(user: Any) -> bool:
    """Whether the account is switched on and not over."""
    return bool(user.is_active) and not has_ended(user)
