"""What the database of a portal that runs says of its guests. Runs in the environment of that portal."""

from typing import Any

from django.db.models import Sum
from django.utils import timezone

from gateways.models import SandboxSms
from guests import limits, rules
from guests.limits import brake
from guests.models import Code, LimitCount, Registration
from messaging.models import Message
from messaging.retries import Kind
from tests.guests.test_registration import let_time_pass

__all__ = ["counts", "let_time_pass", "seen", "set_rules", "tries"]


def seen() -> dict[str, Any]:
    """Messages with codes that were accepted and that arrived, who is held back, and the brake."""
    pulled = brake.current()
    codes = Message.objects.filter(kind=Kind.CODE)
    return {
        "accepted": codes.count(),
        "arrived": SandboxSms.objects.filter(key__in=[message.key for message in codes]).count(),
        "held": [[row.scope, row.key, row.count, row.refused] for row in limits.held_back()],
        "refused": dict(LimitCount.objects.order_by("scope").values_list("scope").annotate(Sum("refused"))),
        "pulled_at": pulled.pulled_at.timestamp() if pulled.pulled_at else None,
        "stopped": brake.is_pulled(pulled, timezone.now()),
    }


def counts() -> list[list[Any]]:
    """Every limit that something is counted against, and how often."""
    rows = LimitCount.objects.filter(count__gt=0).values_list("scope", "minutes", "key", "count")
    return [list(row) for row in rows]


def tries(phone: str) -> dict[str, Any]:
    """How many codes were judged for the last registration of this phone, and what became of it."""
    own = Registration.objects.filter(phone=phone).latest("pk")
    return {"tries": own.tries, "stage": own.stage, "judged": Code.objects.get(phone=phone).tries}


def set_rules(**given: Any) -> None:
    """As an administrator does, who names only what is to change."""
    rules.change(**given)
