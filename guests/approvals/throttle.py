"""How often a sponsor is asked, and how often one phone may have somebody asked."""

from django.db.models import Q

from guests import limits
from guests.limits import Limit
from guests.limits.counting import DAY, HOUR
from guests.models import Scope

SPONSOR_HOUR, SPONSOR_DAY, PHONE_DAY = 10, 30, 3


def limits_of(email: str, phone: str) -> list[Limit]:
    """What one more question to this sponsor about this phone is counted against."""
    return [
        Limit(Scope.SPONSOR, HOUR, email, SPONSOR_HOUR),
        Limit(Scope.SPONSOR, DAY, email, SPONSOR_DAY),
        Limit(Scope.SPONSOR, DAY, phone, PHONE_DAY),
    ]


def check(email: str, phone: str) -> None:
    """Raises HeldBack where the question could not be put now; takes nothing: the phone is not proven yet."""
    keys = Q(key__in=[email, phone])
    full = list(limits.held_back().filter(keys, scope=Scope.SPONSOR))
    if full:
        held = limits.HeldBack(full)
        held.note()
        raise held
