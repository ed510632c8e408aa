"""How a message's state changes: the compare-and-set behind every change, for one row or for many at once.

A change of which neither an attempt nor a receipt tells leaves a Step, and one that webhooks listen to an event. What
changes there are is in message.py.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.db.models import QuerySet

from messaging.models import announcing
from messaging.models.row import MessageRow
from messaging.models.states import FINAL, MAY_FOLLOW, TOLD_BY_THEMSELVES, State
from messaging.models.step import Step
from portal import clock
from portal.bulk.updating import update_each
from portal.models import User
from portal.rows import copied

#: How many rows are changed in one transaction where there may be many.
SOME = 1000


def _changes(to: State, further: dict[str, Any]) -> dict[str, Any]:
    """What changes whenever a message comes to this state, and what else does this time."""
    ends: dict[str, Any] = {"finished_at": clock.now(), "ask_at": None} if to in FINAL else {}
    return {"state": to, "lease_until": None, "due_at": None, "waits_for": "", **ends, **further}


class MessageMoves(MessageRow):
    """The machinery; for `Message` alone."""

    class Meta(MessageRow.Meta):
        abstract = True

    def _move(
        self,
        to: State,
        *,
        since: tuple[State, ...] | None = None,
        by: User | None = None,
        told_as: State | None = None,
        **changes: Any,
    ) -> bool:
        """The compare-and-set behind every change: true where this worker's epoch still holds the message.

        A loser writes nothing; whoever raised the epoch owns the message now and records what becomes of it.
        `since` narrows the states it may come from; `by` is the person whose wish it is; `told_as` is the state whose
        event this change is, where that is another one.
        """
        changes = _changes(to, changes)
        sources = since or MAY_FOLLOW[to]
        event = announcing.event_of(told_as or to)
        if to in TOLD_BY_THEMSELVES and not event:
            return self._set(sources, changes)
        left = self.gateway_id
        with transaction.atomic(savepoint=False):
            won = self._set(sources, changes)
            if won and to not in TOLD_BY_THEMSELVES:
                Step.after(self, left, by).save(force_insert=True)
            if won and event:
                announcing.announce(event, [self])
        return won

    def _set(self, sources: tuple[State, ...], changes: dict[str, Any]) -> bool:
        won = type(self)._default_manager.filter(pk=self.pk, epoch=self.epoch, state__in=sources).update(**changes) == 1
        if won:
            for name, value in changes.items():
                setattr(self, name, value)
        return won

    @classmethod
    def _move_all(cls, rows: "QuerySet[Self]", to: State, *, by: User | None = None, **changes: Any) -> int:
        """The same for up to SOME of these rows at once: one UPDATE, and one INSERT of their steps; how many moved."""
        changes = _changes(to, changes)
        with transaction.atomic():
            locked = list(rows.select_for_update().order_by("pk").values_list("pk", "gateway")[:SOME])
            cls._default_manager.filter(pk__in=[pk for pk, _gateway in locked]).update(**changes)
            Step._default_manager.bulk_create(Step.of_row(pk, here, by, changes) for pk, here in locked)
            if locked and (event := announcing.event_of(to)):
                moved = cls._default_manager.filter(pk__in=[pk for pk, _gateway in locked]).order_by("pk")
                announcing.announce(event, list(moved.only(*announcing.COLUMNS)))
        return len(locked)

    @classmethod
    def _move_each(
        cls, rows: "Sequence[Self]", to: State, each: dict[str, Sequence[Any]], **all_to: Any
    ) -> "list[Self]":
        """The same for rows in memory, each with values of its own, in one UPDATE: those that their worker still held.

        For messages that a provider took, in states of which attempts and receipts tell.
        """
        assert to in TOLD_BY_THEMSELVES  # noqa: S101 — no step is written here
        all_to = _changes(to, all_to)
        event = announcing.handed_over(to)
        with transaction.atomic(savepoint=False) if event else nullcontext():
            won = update_each(
                cls,
                [row.pk for row in rows],
                each=each,
                all_to=all_to,
                where_each={"epoch": [row.epoch for row in rows]},
                where_in={"state": MAY_FOLLOW[to]},
            )
            for place, row in enumerate(rows):
                if row.pk in won:
                    for name, value in (all_to | {name: values[place] for name, values in each.items()}).items():
                        setattr(row, name, value)
            moved = [row for row in rows if row.pk in won]
            if event:
                announcing.announce(event, moved)
        return moved

    @classmethod
    def take(cls, rows: "Sequence[Self]", lease_until: datetime) -> None:
        """Claims rows that are locked in this transaction: a new epoch and a lease for each."""
        ordered = sorted(rows, key=lambda row: row.pk)
        update_each(
            cls,
            [row.pk for row in ordered],
            each={"epoch": [row.epoch + 1 for row in ordered]},
            all_to={
                "state": State.CLAIMED,
                "lease_until": lease_until,
                "due_at": None,
                "ask_at": None,
                "waits_for": "",
            },
        )
        for row in rows:
            row.state, row.epoch, row.lease_until = State.CLAIMED, row.epoch + 1, lease_until

    def twin(self) -> "Self":
        """Another object of the same row: what is changed in one stays as it was in the other. `copy` takes long."""
        twin = copied(self)
        twin._state.fields_cache = dict(self._state.fields_cache)
        return twin

    @classmethod
    def mark_submitting(cls, rows: "Sequence[Self]", now: datetime) -> set[int]:
        """Attempts go on record and the bytes may leave; the ids of those whose lease and validity are not over."""
        return update_each(
            cls,
            [row.pk for row in rows],
            all_to={"state": State.SUBMITTING},
            where_each={"epoch": [row.epoch for row in rows]},
            where_in={"state": [State.CLAIMED]},
            where_after={"lease_until": now, "valid_until": now},
        )
