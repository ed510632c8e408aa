"""Message: one text to one phone. Every change of its state is a method here; its columns are in row.py.

A change of which neither an attempt nor a receipt tells leaves a Step.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from gateways.models import Gateway
from gateways.outcomes import ReceiptState, SentSms
from messaging import retries
from messaging.models.numbering import number_of
from messaging.models.row import MessageRow
from messaging.models.states import CANCELLABLE, FINAL, MAY_FOLLOW, TOLD_BY_THEMSELVES, State, Wait
from messaging.models.step import Step
from messaging.retries import Kind
from portal import clock
from portal.models import User

#: How many rows are changed in one transaction where there may be many.
SOME = 1000
#: What a lapsed message says of itself.
TOO_LATE = "it was still waiting when its validity ended"


class Message(MessageRow):
    """One text to one phone, and what may become of it."""

    class Meta(MessageRow.Meta):
        abstract = False

    @property
    def key(self) -> str:
        """What a provider that knows keys is given: the same at every attempt, another after a resend."""
        return f"portal-{self.created:%Y%m%d%H%M%S}-{self.pk}"

    @property
    def number(self) -> int:
        """The same for a provider that knows whole numbers only."""
        return number_of(self.pk)

    def as_sent(self) -> SentSms:
        """How it is asked about at its provider."""
        return SentSms(key=self.key, number=self.number, phone=self.phone, reference=self.reference)

    @property
    def shown_text(self) -> str | None:
        """The text as people may read it: masked where it holds a secret, None once a free text is wiped."""
        return self.text if self.kind == Kind.INFORMATION else self.masked_text

    def _move(
        self, to: State, *, since: tuple[State, ...] | None = None, by: User | None = None, **changes: Any
    ) -> bool:
        """The compare-and-set behind every change: true where this worker's epoch still holds the message.

        A loser writes nothing; whoever raised the epoch owns the message now and records what becomes of it.
        `since` narrows the states it may come from; `by` is the person whose wish it is.
        """
        changes = {"state": to, "lease_until": None, "due_at": None, "waits_for": "", **changes}
        if to in FINAL:
            changes = {"finished_at": clock.now(), "ask_at": None, **changes}
        sources = since or MAY_FOLLOW[to]
        if to in TOLD_BY_THEMSELVES:
            return self._set(sources, changes)
        left = self.gateway_id
        with transaction.atomic(savepoint=False):
            won = self._set(sources, changes)
            if won:
                Step.after(self, left, by).save(force_insert=True)
        return won

    def _set(self, sources: tuple[State, ...], changes: dict[str, Any]) -> bool:
        won = Message.objects.filter(pk=self.pk, epoch=self.epoch, state__in=sources).update(**changes) == 1
        if won:
            for name, value in changes.items():
                setattr(self, name, value)
        return won

    @classmethod
    def _move_all(cls, rows: "QuerySet[Message]", to: State, *, by: User | None = None, **changes: Any) -> int:
        """The same for up to SOME of these rows at once: one UPDATE, and one INSERT of their steps; how many moved."""
        changes = {"state": to, "due_at": None, "waits_for": "", **changes}
        if to in FINAL:
            changes = {"finished_at": clock.now(), "ask_at": None, **changes}
        with transaction.atomic():
            locked = list(rows.select_for_update().order_by("pk").values_list("pk", "gateway")[:SOME])
            cls.objects.filter(pk__in=[pk for pk, _gateway in locked]).update(**changes)
            Step.objects.bulk_create(Step.of_row(pk, here, by, changes) for pk, here in locked)
        return len(locked)

    @classmethod
    def note_schedule(cls, rows: Iterable["Message"]) -> None:
        """Puts on record until when messages wait that were just accepted for a later time."""
        Step.objects.bulk_create(Step.after(row, row.gateway_id, None) for row in rows)

    @classmethod
    def take(cls, rows: list["Message"], lease_until: datetime) -> None:
        """Claims rows that are locked in this transaction: a new epoch and a lease for each."""
        cls.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.CLAIMED, epoch=F("epoch") + 1, lease_until=lease_until, due_at=None, ask_at=None, waits_for=""
        )
        for row in rows:
            row.state, row.epoch, row.lease_until = State.CLAIMED, row.epoch + 1, lease_until

    def mark_submitting(self, now: datetime) -> bool:
        """An attempt goes on record and the bytes may leave; refused once the lease or the validity is over."""
        return (
            Message.objects.filter(
                pk=self.pk, epoch=self.epoch, state=State.CLAIMED, lease_until__gt=now, valid_until__gt=now
            ).update(state=State.SUBMITTING)
            == 1
        )

    def mark_submitted(self, reference: str, *, expects_receipt: bool, may_ask: bool, code_digest: str = "") -> bool:
        """The provider took it. Where no receipt will ever come, that is the end and the text is wiped.

        `code_digest` is that of the one-time code the provider made.
        """
        now = clock.now()
        known: dict[str, Any] = {
            "submitted_at": now, "reference": reference, "reason": "", "code_digest": code_digest,
        }  # fmt: skip
        if not expects_receipt:
            return self._move(State.NO_RECEIPT, text=None, **known)
        return self._move(State.SUBMITTED, ask_at=now + retries.query_delay(0) if may_ask else None, asked=0, **known)

    def postpone(self, reason: str, delay: timedelta, *, elsewhere: Gateway | None = None) -> bool:
        """Nothing was sent this time; try again after the delay. An earlier unclear attempt keeps it `unknown`.

        `elsewhere` is another gateway to try it at.
        """
        if retries.exhausted(self.kind, self.failures + 1):
            return self.fail(reason)
        return self._move(
            State.UNKNOWN if self.unclear else State.QUEUED,
            failures=self.failures + 1,
            due_at=clock.now() + delay,
            waits_for=Wait.CLEARING if self.unclear else Wait.RETRY,
            reason=reason,
            gateway=elsewhere or self.gateway,
        )

    def hold(self, reason: str) -> bool:
        """The gateway's account is at fault: wait without burning a try. Its health knows how long it is paused."""
        return self._move(
            State.UNKNOWN if self.unclear else State.HELD,
            due_at=clock.now() + retries.HELD_FOR,
            waits_for=Wait.GATEWAY,
            reason=reason,
        )

    def try_at_once(self, reason: str, *, elsewhere: Gateway | None = None) -> bool:
        """Nothing was sent and this message is not to blame: due again now, without burning a try."""
        return self._move(
            State.UNKNOWN if self.unclear else State.QUEUED,
            due_at=clock.now(),
            reason=reason,
            gateway=elsewhere or self.gateway,
        )

    @classmethod
    def move_waiting(cls, rows: list["Message"], to: Gateway) -> int:
        """Waiting messages without an unclear attempt go to another gateway; how many still could.

        What was held is due now; what was to be tried later still is.
        """
        held = When(state=State.HELD, then=clock.now())
        still = cls.objects.filter(
            pk__in=[row.pk for row in rows], gateway=rows[0].gateway_id, state__in=(State.QUEUED, State.HELD), unclear=0
        )
        return cls._move_all(still, State.QUEUED, gateway=to, due_at=Case(held, default=F("due_at")))

    @classmethod
    def move_all_to(cls, rows: "QuerySet[Message]", gateway: Gateway, by: User | None) -> int:
        """The same as `move_to` for up to SOME of these rows; how many that were."""
        scheduled = Q(waits_for=Wait.SCHEDULE)
        return cls._move_all(
            rows.filter(state__in=CANCELLABLE, unclear=0, only_here=False).exclude(gateway=gateway),
            State.QUEUED,
            by=by,
            gateway=gateway,
            wanted=gateway,
            due_at=Case(When(scheduled, then=F("due_at")), default=clock.now()),
            waits_for=Case(When(scheduled, then=F("waits_for")), default=Value("")),
        )

    def move_to(self, gateway: Gateway, by: User | None) -> bool:
        """A person wants it to go through another gateway, before a worker took it: false where it is too late.

        What has a time of its own keeps it.
        """
        scheduled = self.waits_for == Wait.SCHEDULE
        times = {"due_at": self.due_at, "waits_for": Wait.SCHEDULE} if scheduled else {"due_at": clock.now()}
        return self._move(State.QUEUED, since=CANCELLABLE, by=by, gateway=gateway, wanted=gateway, reason="", **times)

    @classmethod
    def release_held(cls, gateway_id: int) -> int:
        """The gateway is well: what waited for it is due now; how many that were."""
        waiting = cls.objects.filter(gateway=gateway_id, waits_for=Wait.GATEWAY, due_at__gt=clock.now())
        return waiting.update(due_at=clock.now())

    def release(self) -> bool:
        """Its worker died before anything could leave: back into the queue, due at once.

        Only from CLAIMED: a worker that was late rather than dead may be handing it over at this very moment. The
        epoch is raised, so that a worker that was only frozen can write nothing when it wakes.
        """
        return self._move(
            State.UNKNOWN if self.unclear else State.QUEUED,
            since=(State.CLAIMED,),
            due_at=clock.now(),
            epoch=self.epoch + 1,
        )

    def fail(self, reason: str) -> bool:
        """It will not be sent. After an unclear attempt nobody can say so: that one is left to a person."""
        return self._move(State.UNRESOLVED if self.unclear else State.FAILED, reason=reason)

    def mark_unclear(self, reason: str, plan: retries.ClearUp, *, settle: timedelta) -> bool:
        """Nobody can tell whether the provider took it; `plan` says how that is cleared up.

        The epoch is raised here too: the worker of this attempt may be frozen and not dead.
        """
        now = clock.now()
        known: dict[str, Any] = {"unclear": self.unclear + 1, "reason": reason, "epoch": self.epoch + 1}
        if plan is retries.ClearUp.PERSON:
            return self._move(State.UNRESOLVED, **known)
        if plan is retries.ClearUp.LOOK_UP:
            return self._move(State.UNKNOWN, ask_at=now + settle, asked=0, waits_for=Wait.CLEARING, **known)
        delay = retries.backoff(self.kind, self.unclear)
        return self._move(State.UNKNOWN, due_at=now + delay, waits_for=Wait.CLEARING, **known)

    def mark_absent(self) -> bool:
        """The provider proved that it has no such message: it is an ordinary waiting message again."""
        return self._move(State.QUEUED, due_at=clock.now(), ask_at=None, unclear=0, reason="")

    def ask_again(self) -> bool:
        """No answer worth having yet: ask later, more and more seldom."""
        delay = retries.query_delay(self.asked + 1)
        return (
            Message.objects.filter(pk=self.pk, epoch=self.epoch, ask_at__isnull=False).update(
                ask_at=clock.now() + delay, asked=self.asked + 1
            )
            == 1
        )

    def record_receipt(self, state: ReceiptState, detail: str = "") -> bool:
        """A receipt may improve what we know and never worsens `delivered`."""
        if state == ReceiptState.DELIVERED:
            return self._move(State.DELIVERED, text=None, reason="")
        if state == ReceiptState.UNDELIVERED:
            return self._move(State.UNDELIVERED, reason=detail)
        if state == ReceiptState.EXPIRED:
            return self._move(State.EXPIRED, reason=detail)
        if state == ReceiptState.UNCONFIRMED:
            since = (State.SUBMITTED, State.UNKNOWN, State.UNRESOLVED)
            return self._move(State.NO_RECEIPT, since=since, text=None, reason=detail)
        return False

    @classmethod
    def lapse_overdue(cls, now: datetime) -> None:
        """Past `valid_until` nothing is sent: lapsed, unless an unclear attempt says that it may have been sent."""
        overdue = cls.objects.filter(due_at__isnull=False, valid_until__lte=now)
        if not overdue.exists():
            return
        while cls._move_all(overdue.filter(state=State.UNKNOWN), State.UNRESOLVED) == SOME:
            pass
        waiting = overdue.filter(state__in=MAY_FOLLOW[State.LAPSED])
        while cls._move_all(waiting, State.LAPSED, text=None, reason=TOO_LATE) == SOME:
            pass

    @classmethod
    def suppress_waiting(cls, phone: str, reason: str) -> None:
        """The phone asked for no more: information that no worker has taken yet is not sent. Not so codes."""
        waiting = cls.objects.filter(
            phone=phone, kind=Kind.INFORMATION, state__in=MAY_FOLLOW[State.SUPPRESSED], unclear=0
        )
        while cls._move_all(waiting, State.SUPPRESSED, text=None, reason=reason) == SOME:
            pass

    @classmethod
    def suppress(cls, keys: Collection[int], reason: str) -> None:
        """The same for these, which the caller has locked, up to SOME of them."""
        waiting = cls.objects.filter(pk__in=keys, state__in=MAY_FOLLOW[State.SUPPRESSED], unclear=0)
        cls._move_all(waiting, State.SUPPRESSED, text=None, reason=reason)

    @classmethod
    def end_silence(cls, before: datetime) -> None:
        """What was handed over before then without a word since: handed over, or unclear, is all anybody knows."""
        silent = cls.objects.filter(state=State.SUBMITTED, submitted_at__lte=before)
        if silent.exists():
            silent.update(state=State.NO_RECEIPT, text=None, ask_at=None, finished_at=clock.now())
        # What was accepted for a later time is valid longer, and may not be older than it could be.
        unclear = cls.objects.filter(
            state=State.UNKNOWN, created__lte=before, valid_until__lte=before + retries.LONGEST_KEPT_TEXT
        )
        if unclear.exists():
            while cls._move_all(unclear, State.UNRESOLVED) == SOME:
                pass

    @classmethod
    def forget_recipient(cls, label: str) -> int:
        """Takes out of the messages what names this recipient; the texts of those that have ended go as well."""
        named = cls.objects.filter(recipient_label=label)
        named.filter(state__in=FINAL).update(text=None)
        return named.update(recipient_label="", masked_text="")

    def link_to(self, former: "Message") -> None:
        """Names the message this one repeats, and takes its text away: a second resend has nothing to send."""
        Message.objects.filter(pk=self.pk).update(resend_of=former, caller_reference=former.caller_reference)
        Message.objects.filter(pk=former.pk).update(text=None)
        self.resend_of, self.caller_reference = former, former.caller_reference

    def cancel(self, by: User | None) -> bool:
        """Taken back by a person before a worker took it; false where it is too late."""
        return self._move(State.CANCELLED, by=by, text=None)

    @classmethod
    def cancel_all(cls, rows: "QuerySet[Message]", by: User | None) -> int:
        """The same for up to SOME of these rows; how many that were."""
        return cls._move_all(rows.filter(state__in=CANCELLABLE), State.CANCELLED, by=by, text=None)
