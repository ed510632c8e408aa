"""What is on record of a message: its columns, indexes and constraints. How they change is in message.py."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Right
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from gateways.outcomes import LONGEST_REFERENCE
from messaging.models.batch import Batch
from messaging.models.states import Door, State, Wait
from messaging.retries import Kind
from portal.encryption import EncryptedTextField

#: How many last digits of a phone are kept by themselves, so that it can be found by them.
TAIL = 4
LONGEST_CALLER_REFERENCE = 100


class MessageRow(models.Model):
    """One text to one phone. It knows a phone number and never a guest; `recipient_label` is a pid as text."""

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    priority = models.PositiveSmallIntegerField(_("priority"))
    phone = models.CharField(_("phone"), max_length=20)
    phone_tail = models.GeneratedField(
        expression=Right("phone", TAIL),
        output_field=models.CharField(max_length=TAIL),
        db_persist=True,
        verbose_name=_("last digits of the phone"),
    )
    recipient_label = models.CharField(_("recipient"), max_length=255, blank=True)
    gateway = models.ForeignKey(Gateway, models.PROTECT, verbose_name=_("gateway"), db_index=False)
    wanted = models.ForeignKey(
        Gateway,
        models.PROTECT,
        verbose_name=_("gateway asked for"),
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    only_here = models.BooleanField(_("through this gateway only"), default=False)
    text = EncryptedTextField(_("text"), null=True)
    masked_text = models.TextField(_("text as shown"), blank=True)
    encoding = models.CharField(_("encoding"), max_length=10)
    segments = models.PositiveSmallIntegerField(_("segments"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("requested by"), null=True, blank=True
    )
    door = models.CharField(_("came by"), max_length=10, choices=Door.choices, blank=True, default=Door.UNSAID)
    batch = models.ForeignKey(
        Batch, models.SET_NULL, verbose_name=_("batch"), null=True, blank=True, db_index=False, related_name="messages"
    )
    # What a program calls it; NULL without one, so that both databases leave most messages out of its index.
    caller_reference = models.CharField(  # noqa: DJ001
        _("its caller's own name for it"), max_length=LONGEST_CALLER_REFERENCE, null=True, blank=True
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
    reference = models.CharField(_("reference"), max_length=LONGEST_REFERENCE, blank=True)
    code_digest = models.CharField(_("digest of the code its provider made"), max_length=64, blank=True)
    submitted_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    ask_at = models.DateTimeField(_("ask the provider at"), null=True, blank=True)
    asked = models.PositiveSmallIntegerField(_("times asked"), default=0)

    class Meta:
        abstract = True
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
            # Not for claims, which say nothing of leases: PostgreSQL would read the whole queue by it and sort that.
            models.Index(
                fields=["valid_until"],
                name="message_overdue",
                condition=Q(due_at__isnull=False, lease_until__isnull=True),
            ),
            models.Index(fields=["lease_until"], name="message_leased", condition=Q(lease_until__isnull=False)),
            models.Index(fields=["state", "submitted_at"], name="message_silent"),
            models.Index(fields=["batch", "state"], name="message_of_batch", condition=Q(batch__isnull=False)),
            # Every change of a message's state writes into each of these, so there is one for both `=` and LIKE.
            models.Index(fields=["phone"], name="message_by_phone", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["recipient_label"], name="message_by_label", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["reference"], name="message_by_reference"),
            models.Index(fields=["phone_tail"], name="message_by_tail"),
            models.Index(
                fields=["caller_reference"], name="message_by_caller", condition=Q(caller_reference__isnull=False)
            ),
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

    @classmethod
    def not_sent_again(cls) -> IsNull:
        """The condition that no other message names this one as the former.

        It is looked up by the index, row by row. As a join its plan would depend on what PostgreSQL believes: of a
        table that it knows as empty it reads all for each row.
        """
        rows: Any = cls._default_manager
        return IsNull(Subquery(rows.filter(resend_of=OuterRef("pk")).order_by().values("pk")), True)
