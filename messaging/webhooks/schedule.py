"""When an event is told again, and when that ends: a pure table. No database, no clock of its own, no I/O."""

import random
from datetime import timedelta

#: Seconds from one try to the next, the first at once: Standard Webhooks, section "Deliverability and reliability".
PAUSES = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
#: Up to so much of a pause is added to it, so that what failed together does not come back as one.
JITTER = 0.1

#: Seconds for one call; the standard asks for 15 to 30.
TIMEOUT = 20.0
#: After a failure a webhook is left alone for a tenth of the time for which it has been failing, within these bounds:
#: however much waits for it, a dead one costs next to nothing.
SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
#: A webhook that has done nothing but fail for so long is paused, until a person resumes it.
PAUSED_AFTER = timedelta(days=3)
#: Within this time the next call follows, as long as there are any: a row of failures that is older has ended.
NEXT_WITHIN = timedelta(seconds=PAUSES[-1] * (1 + JITTER)) + timedelta(hours=1)
#: What could not be delivered for so long, because its webhook is paused or switched off, is given up.
GIVEN_UP_AFTER = timedelta(days=5)
#: For so long after a new secret was made the former one signs too.
FORMER_SIGNS = timedelta(hours=24)
#: Events, with what they say, are kept for so long.
KEPT = timedelta(days=30)


def pause_after(tries: int, asked_for: float = 0.0) -> timedelta | None:
    """How long to wait after so many failed tries, or None where that was the last one.

    `asked_for` are the seconds that a receiver asks us to wait; no more of them count than the table's longest pause.
    """
    if tries >= len(PAUSES):
        return None
    spread = 1 + random.uniform(0, JITTER)  # noqa: S311 — spreading load, not keeping a secret
    return timedelta(seconds=max(PAUSES[tries], heeded(asked_for)) * spread)


def heeded(asked_for: float) -> float:
    """As many of the seconds that a receiver asks us to wait as count."""
    return min(asked_for, PAUSES[-1]) if asked_for > 0 else 0.0


def rest_after(failing_for: timedelta, asked_for: float = 0.0) -> timedelta:
    """How long a webhook is left alone that has failed for so long; it may have asked for more."""
    return max(min(max(failing_for / 10, SHORTEST_REST), LONGEST_REST), timedelta(seconds=heeded(asked_for)))
