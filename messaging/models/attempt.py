"""Attempt: one time a message was handed to a gateway; and DeliveryEvent: what the provider later reports."""

from collections.abc import Sequence
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from gateways.outcomes import LONGEST_REFERENCE, Outcome, ReceiptState
from messaging.models.message import Message
from portal.bulk.inserting import insert_copies


class Attempt(models.Model):
    """One time a message was handed to a gateway. Committed before a byte leaves; `outcome` stays empty until known."""

    # Found by the constraint and the index below, which begin with them.
    message = models.ForeignKey(
        Message, models.CASCADE, verbose_name=_("message"), related_name="attempts", db_index=False
    )
    gateway = models.ForeignKey(Gateway, models.PROTECT, verbose_name=_("gateway"), db_index=False)
    epoch = models.PositiveIntegerField(_("epoch"))
    key = models.CharField(_("key sent"), max_length=100)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True)
    reference = models.CharField(_("reference"), max_length=LONGEST_REFERENCE, blank=True)
    reference_key = models.CharField(_("reference as compared"), max_length=LONGEST_REFERENCE, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    exchange = models.JSONField(_("exchange, redacted"), default=dict, blank=True)

    #: Not stored: which token its request carries, where it carries one that was logged in for.
    token_issued_at: datetime | None = None

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        default_permissions = ()
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["message", "epoch"], name="one_attempt_per_epoch"),
        ]
        indexes = [models.Index(fields=["gateway", "reference_key"], name="attempt_by_reference")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.get_outcome_display() or '…'}"

    @classmethod
    def begin_all(cls, gateway: Gateway, messages: Sequence[Message], now: datetime) -> "list[Attempt]":
        """Puts on record that each of these messages is being handed to the gateway, in one statement."""
        made = insert_copies(
            cls(gateway=gateway, started_at=now),
            ("message", "epoch", "key"),
            [(message.pk, message.epoch, message.key) for message in messages],
            known_by="message",
        )
        return [
            cls(pk=made[one.pk], message=one, gateway=gateway, epoch=one.epoch, key=one.key, started_at=now)
            for one in messages
        ]


class DeliveryEvent(models.Model):
    """What a provider reported, as it came; also for references nobody knows yet. Never changed, only matched."""

    gateway = models.ForeignKey(Gateway, models.CASCADE, verbose_name=_("gateway"), db_index=False)
    message = models.ForeignKey(
        Message, models.CASCADE, verbose_name=_("message"), related_name="events", null=True, blank=True
    )
    reference = models.CharField(_("reference"), max_length=LONGEST_REFERENCE)
    reference_key = models.CharField(_("reference as compared"), max_length=LONGEST_REFERENCE, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=ReceiptState.choices)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    at = models.DateTimeField(_("reported time"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)

    class Meta:
        verbose_name = _("delivery event")
        verbose_name_plural = _("delivery events")
        default_permissions = ()
        ordering = ("id",)
        indexes = [
            models.Index(fields=["gateway", "reference_key"], name="event_by_reference"),
            models.Index(fields=["received_at"], name="event_orphaned", condition=Q(message__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.get_state_display()}"
