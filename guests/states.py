"""The state of a guest, worked out of what is kept: the one place that does, for one guest and for queries alike."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guests.models import Guest


class State(models.TextChoices):
    """What a guest is now. `docs/operations.md` has the table."""

    CREATED = "created", _("not signed in yet")
    ACTIVE = "active", _("active")
    NOT_YET = "not_yet", _("begins later")
    SUSPENDED = "suspended", _("suspended")
    EXPIRED = "expired", _("expired")
    BANNED = "banned", _("banned")
    ANONYMISED = "anonymised", _("anonymous")


#: Whose access is over, or kept from them.
OUT = frozenset({State.SUSPENDED, State.EXPIRED, State.BANNED, State.ANONYMISED})


class Rule(NamedTuple):
    """When a guest is in this state: asked of a guest, and as a condition of a query."""

    state: State
    holds: Callable[[Guest, datetime], bool]
    where: Callable[[datetime], Q]


#: The first that holds decides; whom none fits is active.
RULES = (
    Rule(
        State.ANONYMISED,
        lambda guest, _now: guest.anonymised_at is not None,
        lambda _now: Q(anonymised_at__isnull=False),
    ),
    Rule(State.BANNED, lambda guest, _now: guest.banned, lambda _now: Q(banned=True)),
    Rule(State.SUSPENDED, lambda guest, _now: guest.suspended, lambda _now: Q(suspended=True)),
    Rule(State.EXPIRED, lambda guest, now: guest.valid_until <= now, lambda now: Q(valid_until__lte=now)),
    Rule(State.NOT_YET, lambda guest, now: guest.valid_from > now, lambda now: Q(valid_from__gt=now)),
    Rule(State.CREATED, lambda guest, _now: guest.first_sign_in is None, lambda _now: Q(first_sign_in__isnull=True)),
)


def of(guest: Guest, now: datetime | None = None) -> State:
    """The guest's state."""
    at = now or timezone.now()
    return next((rule.state for rule in RULES if rule.holds(guest, at)), State.ACTIVE)


def annotated(guests: QuerySet[Guest], now: datetime | None = None) -> QuerySet[Guest]:
    """The guests with their `state`, by which they can be filtered and sorted."""
    at = now or timezone.now()
    cases = [When(rule.where(at), then=Value(rule.state.value)) for rule in RULES]
    found: QuerySet[Guest] = guests.annotate(
        state=Case(*cases, default=Value(State.ACTIVE.value), output_field=models.CharField())
    )
    return found


def counts(guests: QuerySet[Guest] | None = None) -> dict[State, int]:
    """How many guests are in each state, in the order of `State`; one query."""
    shown: Any = annotated(Guest.objects.all() if guests is None else guests)
    rows = shown.order_by().values("state").annotate(many=Count("pk"))
    found: dict[str, int] = dict(rows.values_list("state", "many"))
    return {state: found.get(state.value, 0) for state in State}
