"""When to try again and when to give up: a pure table. No database, no clock of its own, no I/O."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a message is for; it decides priority, validity and how hard we try."""

    CODE = "code", _("one-time code")
    CREDENTIALS = "credentials", _("credentials")
    INFORMATION = "information", _("information")


@dataclass(frozen=True)
class Rule:
    """One row of the table. `base` and `cap` are seconds between tries, before jitter."""

    priority: int
    validity: timedelta
    base: float
    cap: float
    tries: int
    #: How often a message may be sent again although an earlier attempt is unclear and nothing can clear it up.
    risked_repeats: int


RULES: dict[str, Rule] = {
    Kind.CODE: Rule(1, timedelta(minutes=10), base=1, cap=15, tries=60, risked_repeats=1),
    Kind.CREDENTIALS: Rule(2, timedelta(hours=24), base=2, cap=300, tries=300, risked_repeats=1),
    Kind.INFORMATION: Rule(3, timedelta(hours=24), base=5, cap=900, tries=150, risked_repeats=0),
}

#: A text that may be sent again by hand is kept no longer than this.
LONGEST_KEPT_TEXT = timedelta(hours=24)

#: After this long without a receipt we know no more, and say so.
NO_RECEIPT_AFTER = timedelta(hours=72)

#: How long a message waits after its gateway's account was at fault, however soon the gateway is well again.
HELD_FOR = timedelta(seconds=30)

#: A lease outlives the HTTP deadline by this much, so that a worker knows it is late before another takes over.
LEASE_MARGIN = timedelta(seconds=15)

#: Seconds from one question for a receipt to the next; the last one repeats.
QUERY_DELAYS = (1, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 1800)


class ClearUp(Enum):
    """How an unclear outcome is cleared up, decided by what the provider can do."""

    SAME_KEY = "the same key again at the same gateway"
    LOOK_UP = "ask the provider whether it has the message"
    REPEAT = "send once more and risk a second copy"
    PERSON = "leave it to a person"


def backoff(kind: str, failures: int) -> timedelta:
    """Full jitter: anything from 0 to the doubled base, so that a burst of failures does not come back as one."""
    rule = RULES[kind]
    ceiling = min(rule.cap, rule.base * 2 ** min(failures, 20))
    return timedelta(seconds=random.uniform(0, ceiling))  # noqa: S311 — spreading load, not keeping a secret


def exhausted(kind: str, failures: int) -> bool:
    """Whether a message of this kind has been tried often enough."""
    return failures >= RULES[kind].tries


def valid_until(kind: str, start: datetime) -> datetime:
    """The moment past which the message must never be submitted."""
    return start + RULES[kind].validity


def query_delay(asked: int) -> timedelta:
    """How long to wait before asking for a receipt, after having asked so many times."""
    return timedelta(seconds=QUERY_DELAYS[min(asked, len(QUERY_DELAYS) - 1)])


def clear_up(kind: str, unclear: int, *, dedupe_key: bool, can_look_up: bool) -> ClearUp:
    """What to do about a message with so many unclear attempts at a provider with these abilities."""
    if dedupe_key:
        return ClearUp.SAME_KEY
    if can_look_up:
        return ClearUp.LOOK_UP
    if unclear <= RULES[kind].risked_repeats:
        return ClearUp.REPEAT
    return ClearUp.PERSON
