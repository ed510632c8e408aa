"""How far a batch has come, counted from its messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from messaging.models import FINAL, LEASED, WAITING, Batch, Message, State
from portal import clock

#: No request lasts so long: what was not looked at by then will not be, unless its form is sent again.
CUT_OFF_AFTER = timedelta(minutes=10)


class Group(StrEnum):
    """What people want to know of many messages."""

    DELIVERED = "delivered"
    HANDED_OVER = "handed_over"
    WAITING = "waiting"
    UNCLEAR = "unclear"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


STATES: dict[Group, tuple[State, ...]] = {
    Group.DELIVERED: (State.DELIVERED,),
    Group.HANDED_OVER: (State.SUBMITTED, State.NO_RECEIPT),
    Group.WAITING: tuple(state for state in (*WAITING, *LEASED) if state != State.UNKNOWN),
    Group.UNCLEAR: (State.UNKNOWN, State.UNRESOLVED),
    Group.FAILED: (State.FAILED, State.UNDELIVERED, State.EXPIRED, State.LAPSED),
    Group.SUPPRESSED: (State.SUPPRESSED,),
    Group.CANCELLED: (State.CANCELLED,),
}
LABELS = {
    Group.DELIVERED: gettext_lazy("Delivered"),
    Group.HANDED_OVER: gettext_lazy("Handed over"),
    Group.WAITING: gettext_lazy("Waiting"),
    Group.UNCLEAR: gettext_lazy("Unclear"),
    Group.FAILED: gettext_lazy("Failed"),
    Group.SUPPRESSED: gettext_lazy("Suppressed: opted out"),
    Group.CANCELLED: gettext_lazy("Cancelled"),
}


@dataclass(frozen=True)
class Progress:
    """How many of a batch are where. `gone` have left the house or will not; `over`: nothing more will happen.

    `cut_off` were never looked at, for the request that brought them was broken off.
    """

    total: int
    refused: int
    gone: int
    over: bool
    groups: Mapping[Group, int]
    states: Mapping[State, int]
    cut_off: int = 0

    @property
    def accepted(self) -> int:
        """How many of its messages are on record."""
        return sum(self.states.values())

    @property
    def sentence(self) -> str:
        """For whoever hears the page instead of seeing it."""
        done = ngettext("%(done)s of %(total)s message is done", "%(done)s of %(total)s messages are done", self.total)
        told = [done % {"done": self.gone, "total": self.total}]
        failed = self.groups[Group.FAILED] + self.refused
        if failed:
            told.append(ngettext("%d failed", "%d failed", failed) % failed)
        if self.cut_off:
            cut_off = ngettext("%d was cut off and not accepted", "%d were cut off and not accepted", self.cut_off)
            told.append(cut_off % self.cut_off)
        if self.over:
            told.append(_("nothing more will happen"))
        return " · ".join(told)


def counts_of(batches: Iterable[int]) -> dict[int, dict[State, int]]:
    """By batch, how many of its messages are in which state: one question for all, answered from an index."""
    found: dict[int, dict[State, int]] = {}
    rows = Message.objects.filter(batch__in=list(batches)).order_by().values_list("batch", "state")
    for batch, state, count in rows.annotate(count=Count("pk")):
        found.setdefault(batch or 0, {})[State(state)] = count
    return found


def now(batch: Batch) -> Progress:
    """The progress of a batch at this moment."""
    return of(batch, counts_of([batch.pk]).get(batch.pk, {}))


def of(batch: Batch, counts: Mapping[State, int]) -> Progress:
    """The progress of a batch with so many messages in each state. Asks nothing of the database."""
    groups = {group: sum(counts.get(state, 0) for state in states) for group, states in STATES.items()}
    refused, accepted = len(batch.refused), sum(counts.values())
    under_way = groups[Group.WAITING] + counts.get(State.UNKNOWN, 0)
    left = batch.total - batch.taken
    cut_off = left if batch.created < clock.now() - CUT_OFF_AFTER else 0
    return Progress(
        total=batch.total,
        refused=refused,
        gone=accepted - under_way + refused,
        over=left == cut_off and all(state in FINAL for state in counts),
        groups=groups,
        states=counts,
        cut_off=cut_off,
    )
