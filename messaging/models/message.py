"""Message: one text to one phone. Every change of its state is a method here, by the means of moves.py.

Its columns are in row.py.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, F, Q, QuerySet, Value, When

from gateways.models import Gateway
from gateways.outcomes import ReceiptState, SentSms
from messaging import retries
from messaging.models.moves import SOME, MessageMoves
from messaging.models.numbering import number_of
from messaging.models.states import CANCELLABLE, FINAL, MAY_FOLLOW, State, Wait
from messaging.models.step import Step
from messaging.retries import Kind
from portal import clock
from portal.models import User

#: What a lapsed message says of itself.
TOO_LATE = "it was still waiting when its validity ended"


class Taken(NamedTuple):
    """What a provider said of a message it took: what it calls it, and the digest of the code that it made."""

    reference: str
    code_digest: str = ""


class Message(MessageMoves):
    """One text to one phone, and what may become of it."""

    class Meta(MessageMoves.Meta):
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

    @classmethod
    def note_schedule(cls, rows: Iterable["Message"]) -> None:
        """Puts on record until when messages wait that were just accepted for a later time."""
        Step.objects.bulk_create(Step.after(row, row.gateway_id, None) for row in rows)

    @classmethod
    def mark_all_submitted(
        cls, taken: "Sequence[tuple[Message, Taken]]", *, expects_receipt: bool, may_ask: bool
    ) -> "list[Message]":
        """Their provider took them; those of them that their worker still held.

        Where no receipt will ever come, that is the end and the text is wiped.
        """
        now = clock.now()
        own: dict[str, Sequence[Any]] = {
            "reference": [said.reference for _message, said in taken],
            "code_digest": [said.code_digest for _message, said in taken],
        }
        known: dict[str, Any] = {"submitted_at": now, "reason": ""}
        rows = [message for message, _said in taken]
        if not expects_receipt:
            return cls._move_each(rows, State.NO_RECEIPT, own, text=None, **known)
        ask_at = now + retries.query_delay(0) if may_ask else None
        return cls._move_each(rows, State.SUBMITTED, own, ask_at=ask_at, asked=0, **known)

    def mark_submitted(self, taken: Taken, *, expects_receipt: bool, may_ask: bool) -> bool:
        """The same for this one."""
        return bool(self.mark_all_submitted([(self, taken)], expects_receipt=expects_receipt, may_ask=may_ask))

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
        return state == ReceiptState.UNCONFIRMED and self._end_without_receipt(detail)

    def _end_without_receipt(self, detail: str) -> bool:
        """It was sent, and no receipt will come. Of one that was unclear this is the news that it was taken."""
        ends: dict[str, Any] = {"text": None, "reason": detail}
        return self._move(State.NO_RECEIPT, since=(State.SUBMITTED,), **ends) or self._move(
            State.NO_RECEIPT, since=(State.UNKNOWN, State.UNRESOLVED), told_as=State.SUBMITTED, **ends
        )

    @classmethod
    def lapse_overdue(cls, now: datetime) -> None:
        """Past `valid_until` nothing is sent: lapsed, unless an unclear attempt says that it may have been sent."""
        overdue = cls.objects.filter(due_at__isnull=False, lease_until__isnull=True, valid_until__lte=now)
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
        some = silent.order_by("submitted_at").values_list("pk", flat=True)
        ended: dict[str, Any] = {"state": State.NO_RECEIPT, "text": None, "ask_at": None, "finished_at": clock.now()}
        while silent.filter(pk__in=list(some[:SOME])).update(**ended) == SOME:
            pass
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
