"""Places between two steps of a message's journey at which a test may end, freeze or slow this very process.

Off unless a test's own program listens in it, and then the cost is one comparison; no setting can switch it on.
"""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Where a process that is killed leaves the most interesting traces.

    Those of claiming, putting on record and settling are reached once a turn, however many messages it had, even none;
    that of accepting once for all messages that one transaction accepted, that of the bell once for each bell.
    """

    ACCEPTED = "accepted"  # the message is committed, nobody has been told
    RUNG = "rung"  # the bell is rung; the caller may have no answer yet
    CLAIMED = "claimed"  # a lease is committed
    ATTEMPTED = "attempted"  # the attempt is committed, no byte has left
    CONNECTED = "connected"  # the provider listens, no byte has left
    WRITING = "writing"  # the next thing that happens is the first byte
    ANSWERED = "answered"  # the provider's answer is in memory only
    SETTLED = "settled"  # the outcome is committed


Listener = Callable[[Point], object]

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Tells of every point that this process reaches from now on; None ends it."""
    global _listener  # noqa: PLW0603 — one per process, set once by a test's own program
    _listener = listener


def reach(point: Point) -> None:
    """This process is there now."""
    if _listener is not None:
        _listener(point)
