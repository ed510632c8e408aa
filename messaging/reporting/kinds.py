"""What can be told of a message, in Kannel's numbers, and what has happened in which state. No database here."""

from enum import IntFlag

from messaging.models import State


class Happened(IntFlag):
    """Kannel's user guide, "Delivery Reports": the number of `%d`, and with others the mask."""

    DELIVERED = 1
    UNDELIVERED = 2
    SUBMITTED = 8
    REJECTED = 16


#: Of a state that is not here nothing can be told yet.
IN_STATE: dict[str, Happened] = {
    State.SUBMITTED: Happened.SUBMITTED,
    State.NO_RECEIPT: Happened.SUBMITTED,
    State.DELIVERED: Happened.SUBMITTED | Happened.DELIVERED,
    State.UNDELIVERED: Happened.SUBMITTED | Happened.UNDELIVERED,
    State.EXPIRED: Happened.SUBMITTED | Happened.UNDELIVERED,
    State.FAILED: Happened.REJECTED,
    State.LAPSED: Happened.REJECTED,
    State.CANCELLED: Happened.REJECTED,
    State.SUPPRESSED: Happened.REJECTED,
}
#: After these nothing more is told.
ENDS = frozenset(set(IN_STATE) - {State.SUBMITTED, State.NO_RECEIPT})
#: In this order, where several have happened.
IN_ORDER = (Happened.SUBMITTED, Happened.DELIVERED, Happened.UNDELIVERED, Happened.REJECTED)


def next_of(state: str, mask: int, told: int) -> Happened | None:
    """What is to be told next, or None."""
    open_ones = IN_STATE.get(state, Happened(0)) & mask & ~told
    return next((one for one in IN_ORDER if one in open_ones), None)


def is_over(state: str, mask: int, told: int) -> bool:
    """Whether nothing that is wanted can happen any more."""
    return state in ENDS or not mask & ~told
