"""Message: one text to one phone. Every change of its state is a method here."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from gateways.outcomes import LONGEST_REFERENCE, ReceiptState, SentSms
from messaging import retries
from messaging.models.numbering import number_of
from messaging.models.states import FINAL, MAY_FOLLOW, State, Wait
from messaging.retries import Kind
from portal.encryption import EncryptedTextField


class Message(models.Model):
    """One text to one phone. It knows a phone number and never a guest; `recipient_label` is a pid as text."""

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    priority = models.PositiveSmallIntegerField(_("priority"))
    phone = models.CharField(_("phone"), max_length=20, db_index=True)
    recipient_label = models.CharField(_("recipient"), max_length=255, blank=True, db_index=True)
    gateway = models.ForeignKey(Gateway, models.PROTECT, verbose_name=_("gateway"), db_index=False)
    wanted = models.ForeignKey(
        Gateway, models.PROTECT, verbose_name=_("gateway asked for"), null=True, blank=True, related_name="+"
    )
    only_here = models.BooleanField(_("through this gateway only"), default=False)
    text = EncryptedTextField(_("text"), null=True)
    masked_text = models.TextField(_("text as shown"), blank=True)
    encoding = models.CharField(_("encoding"), max_length=10)
    segments = models.PositiveSmallIntegerField(_("segments"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("requested by"), null=True, blank=True
    )
    resend_of = models.OneToOneField(
        "self", models.SET_NULL, verbose_name=_("resend of"), null=True, blank=True, related_name="resent_as"
    )
    created = models.DateTimeField(_("accepted"), default=timezone.now, db_index=True)
    valid_until = models.DateTimeField(_("valid until"))

    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.QUEUED)
    epoch = models.PositiveIntegerField(_("epoch"), default=0)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, default=timezone.now)
    waits_for = models.CharField(_("waits because"), max_length=20, choices=Wait.choices, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    failures = models.PositiveSmallIntegerField(_("tries that sent nothing"), default=0)
    unclear = models.PositiveSmallIntegerField(_("unclear attempts"), default=0)
    reference = models.CharField(_("reference"), max_length=LONGEST_REFERENCE, blank=True, db_index=True)
    code_digest = models.CharField(_("digest of the code its provider made"), max_length=64, blank=True)
    submitted_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    ask_at = models.DateTimeField(_("ask the provider at"), null=True, blank=True)
    asked = models.PositiveSmallIntegerField(_("times asked"), default=0)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        default_permissions = ()
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="message_state_is_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="message_kind_is_known"),
        ]
        indexes = [
            # Conditions on NULL alone: both databases prove that a query with `due_at <= …` may use them.
            models.Index(
                fields=["gateway", "priority", "due_at"], name="message_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["valid_until"], name="message_overdue", condition=Q(due_at__isnull=False)),
            models.Index(fields=["lease_until"], name="message_leased", condition=Q(lease_until__isnull=False)),
            models.Index(fields=["state", "submitted_at"], name="message_silent"),
            models.Index(fields=["gateway", "ask_at"], name="message_to_ask", condition=Q(ask_at__isnull=False)),
            models.Index(
                fields=["valid_until"],
                name="message_text_kept",
                condition=Q(text__isnull=False),
            ),
            # For the tallies: whose end came since. A message is put into it once, when it is no longer in the queue.
            models.Index(fields=["finished_at"], name="message_finished", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.phone} {self.get_state_display()}"

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

    def _move(self, to: State, *, since: tuple[State, ...] | None = None, **changes: Any) -> bool:
        """The compare-and-set behind every change: true where this worker's epoch still holds the message.

        A loser writes nothing; whoever raised the epoch owns the message now and records what becomes of it.
        `since` narrows the states it may come from.
        """
        changes = {"state": to, "lease_until": None, "due_at": None, "waits_for": "", **changes}
        if to in FINAL:
            changes = {"finished_at": timezone.now(), "ask_at": None, **changes}
        sources = since or MAY_FOLLOW[to]
        won = Message.objects.filter(pk=self.pk, epoch=self.epoch, state__in=sources).update(**changes) == 1
        if won:
            for name, value in changes.items():
                setattr(self, name, value)
        return won

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
        now = timezone.now()
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
            due_at=timezone.now() + delay,
            waits_for=Wait.CLEARING if self.unclear else Wait.RETRY,
            reason=reason,
            gateway=elsewhere or self.gateway,
        )

    def hold(self, reason: str) -> bool:
        """The gateway's account is at fault: wait without burning a try. Its health knows how long it is paused."""
        return self._move(
            State.UNKNOWN if self.unclear else State.HELD,
            due_at=timezone.now() + retries.HELD_FOR,
            waits_for=Wait.GATEWAY,
            reason=reason,
        )

    def try_at_once(self, reason: str, *, elsewhere: Gateway | None = None) -> bool:
        """Nothing was sent and this message is not to blame: due again now, without burning a try."""
        return self._move(
            State.UNKNOWN if self.unclear else State.QUEUED,
            due_at=timezone.now(),
            reason=reason,
            gateway=elsewhere or self.gateway,
        )

    @classmethod
    def move_waiting(cls, rows: list["Message"], to: Gateway) -> int:
        """Waiting messages without an unclear attempt go to another gateway; how many still could.

        What was held is due now; what was to be tried later still is.
        """
        held = When(state=State.HELD, then=timezone.now())
        return cls.objects.filter(
            pk__in=[row.pk for row in rows], gateway=rows[0].gateway_id, state__in=(State.QUEUED, State.HELD), unclear=0
        ).update(gateway=to, state=State.QUEUED, due_at=Case(held, default=F("due_at")), waits_for="")

    @classmethod
    def release_held(cls, gateway_id: int) -> int:
        """The gateway is well: what waited for it is due now; how many that were."""
        waiting = cls.objects.filter(gateway=gateway_id, waits_for=Wait.GATEWAY, due_at__gt=timezone.now())
        return waiting.update(due_at=timezone.now())

    def release(self) -> bool:
        """Its worker died before anything could leave: back into the queue, due at once.

        Only from CLAIMED: a worker that was late rather than dead may be handing it over at this very moment. The
        epoch is raised, so that a worker that was only frozen can write nothing when it wakes.
        """
        return self._move(
            State.UNKNOWN if self.unclear else State.QUEUED,
            since=(State.CLAIMED,),
            due_at=timezone.now(),
            epoch=self.epoch + 1,
        )

    def fail(self, reason: str) -> bool:
        """It will not be sent. After an unclear attempt nobody can say so: that one is left to a person."""
        return self._move(State.UNRESOLVED if self.unclear else State.FAILED, reason=reason)

    def mark_unclear(self, reason: str, plan: retries.ClearUp, *, settle: timedelta) -> bool:
        """Nobody can tell whether the provider took it; `plan` says how that is cleared up.

        The epoch is raised here too: the worker of this attempt may be frozen and not dead.
        """
        now = timezone.now()
        known: dict[str, Any] = {"unclear": self.unclear + 1, "reason": reason, "epoch": self.epoch + 1}
        if plan is retries.ClearUp.PERSON:
            return self._move(State.UNRESOLVED, **known)
        if plan is retries.ClearUp.LOOK_UP:
            return self._move(State.UNKNOWN, ask_at=now + settle, asked=0, waits_for=Wait.CLEARING, **known)
        delay = retries.backoff(self.kind, self.unclear)
        return self._move(State.UNKNOWN, due_at=now + delay, waits_for=Wait.CLEARING, **known)

    def mark_absent(self) -> bool:
        """The provider proved that it has no such message: it is an ordinary waiting message again."""
        return self._move(State.QUEUED, due_at=timezone.now(), ask_at=None, unclear=0, reason="")

    def ask_again(self) -> bool:
        """No answer worth having yet: ask later, more and more seldom."""
        delay = retries.query_delay(self.asked + 1)
        return (
            Message.objects.filter(pk=self.pk, epoch=self.epoch, ask_at__isnull=False).update(
                ask_at=timezone.now() + delay, asked=self.asked + 1
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
        ended = {"due_at": None, "ask_at": None, "waits_for": "", "finished_at": now}
        overdue.filter(state=State.UNKNOWN).update(state=State.UNRESOLVED, **ended)
        overdue.filter(state__in=MAY_FOLLOW[State.LAPSED]).update(
            state=State.LAPSED, text=None, reason="it was still waiting when its validity ended", **ended
        )

    @classmethod
    def suppress_waiting(cls, phone: str, reason: str) -> None:
        """The phone asked for no more: information that no worker has taken yet is not sent. Not so codes."""
        cls.objects.filter(
            phone=phone, kind=Kind.INFORMATION, state__in=MAY_FOLLOW[State.SUPPRESSED], unclear=0
        ).update(
            state=State.SUPPRESSED, reason=reason, text=None, due_at=None, waits_for="", finished_at=timezone.now()
        )

    @classmethod
    def end_silence(cls, before: datetime) -> None:
        """What was handed over before then without a word since: handed over, or unclear, is all anybody knows."""
        silent = cls.objects.filter(state=State.SUBMITTED, submitted_at__lte=before)
        if silent.exists():
            silent.update(state=State.NO_RECEIPT, text=None, ask_at=None, finished_at=timezone.now())
        unclear = cls.objects.filter(state=State.UNKNOWN, created__lte=before)
        if unclear.exists():
            unclear.update(state=State.UNRESOLVED, ask_at=None, due_at=None, waits_for="", finished_at=timezone.now())

    @classmethod
    def forget_recipient(cls, label: str) -> int:
        """Takes out of the messages what names this recipient; the texts of those that have ended go as well."""
        named = cls.objects.filter(recipient_label=label)
        named.filter(state__in=FINAL).update(text=None)
        return named.update(recipient_label="", masked_text="")

    def link_to(self, former: "Message") -> None:
        """Names the message this one repeats, and takes its text away: a second resend has nothing to send."""
        Message.objects.filter(pk=self.pk).update(resend_of=former)
        Message.objects.filter(pk=former.pk).update(text=None)
        self.resend_of = former

    def cancel(self) -> bool:
        """Taken back by a person before a worker took it; false where it is too late."""
        return self._move(State.CANCELLED, text=None)
