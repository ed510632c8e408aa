"""Tally: how many messages of one hour or day are in which state, and what they cost. Written by `tallies.py` only."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from messaging.models.states import State
from messaging.retries import Kind


class Span(models.TextChoices):
    """How long the time is that a tally counts."""

    HOUR = "hour", _("hour")
    DAY = "day", _("day")


class Tally(models.Model):
    """The messages accepted in one hour (of UTC) or day (of the portal's zone), of one gateway, kind and state.

    `price` is that of a segment, kept with the hours: what is counted anew later costs what it cost then.
    """

    span = models.CharField(_("span"), max_length=4, choices=Span.choices)
    start = models.DateTimeField(_("from"))
    gateway = models.ForeignKey(Gateway, models.CASCADE, verbose_name=_("gateway"), db_index=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    messages = models.PositiveIntegerField(_("messages"))
    segments = models.PositiveIntegerField(_("segments"))
    price = models.DecimalField(_("price of a segment"), max_digits=10, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=4, default=0)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    times = models.JSONField(_("times to delivery"), default=dict, blank=True)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        default_permissions = ()
        ordering = ("-start", "span", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["span", "start", "gateway", "kind", "state", "currency"], name="tally_counts_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} {self.gateway_id} {self.get_state_display()}"


class TallyProgress(models.Model):
    """How far the counting has come, and whose turn it is. One row; a turn that was lost writes nothing."""

    ROW = 1

    turn = models.PositiveIntegerField(_("turn"), default=0)
    busy_until = models.DateTimeField(_("busy until"), null=True, blank=True)
    seen_until = models.DateTimeField(_("changes counted until"), null=True, blank=True)
    built_from = models.DateTimeField(_("history counted back to"), null=True, blank=True)
    zone = models.CharField(_("time zone of the days"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("progress of the tallies")
        verbose_name_plural = _("progress of the tallies")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.turn)

    @classmethod
    def now(cls) -> "TallyProgress":
        """How far it is; before the first turn nothing is counted."""
        return cls.objects.filter(pk=cls.ROW).first() or cls(pk=cls.ROW)

    @classmethod
    def take_turn(cls, now: datetime, lease: timedelta) -> "TallyProgress | None":
        """The row with a new turn, or None while another worker has one."""
        cls.objects.get_or_create(pk=cls.ROW)
        free = Q(busy_until=None) | Q(busy_until__lte=now)
        won = cls.objects.filter(free, pk=cls.ROW).update(turn=F("turn") + 1, busy_until=now + lease)
        return cls.objects.get(pk=cls.ROW) if won else None

    def write(self, **changes: datetime | str | None) -> bool:
        """A compare-and-set: false where the turn was lost, and inside a transaction the lock that keeps it."""
        return TallyProgress.objects.filter(pk=self.pk, turn=self.turn).update(**changes) == 1
