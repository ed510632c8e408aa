"""DeliveryReport: an address at which a program is told what becomes of its message. Written by `reporting`."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from messaging.models.message import Message
from portal.encryption import EncryptedTextField


class DeliveryReport(models.Model):
    """There until all that is wanted was told or cannot happen. While a worker has it `due_at` is its lease's end.

    `mask` are the kinds that are wanted and `told` those that are done with, as sums of Kannel's numbers. `epoch` is
    raised by each claim, and a worker that comes late writes nothing. Of gateways only `known_gateway` is told; it
    is None where whoever asked knows all.
    """

    message = models.OneToOneField(Message, models.CASCADE, verbose_name=_("message"), related_name="report")
    url = EncryptedTextField(_("address"))
    mask = models.PositiveSmallIntegerField(_("kinds wanted"))
    told = models.PositiveSmallIntegerField(_("kinds told"), default=0)
    sender = models.CharField(_("sender that was asked for"), max_length=100, blank=True)
    known_gateway = models.ForeignKey(
        Gateway,
        models.PROTECT,
        verbose_name=_("gateway that is told"),
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    made = models.DateTimeField(_("made"), default=timezone.now)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    epoch = models.PositiveIntegerField(_("epoch"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("delivery report")
        verbose_name_plural = _("delivery reports")
        default_permissions = ()
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.pk} {self.message_id}"
