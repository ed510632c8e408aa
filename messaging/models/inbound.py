"""InboundMessage: what somebody wrote to us; and OptOut: a phone that wants no more information."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from gateways.outcomes import LONGEST_PHONE, LONGEST_REFERENCE
from portal.encryption import EncryptedTextField

#: A reference with a mark before it, or a digest.
LONGEST_FINGERPRINT = LONGEST_REFERENCE + 10


class Word(models.TextChoices):
    """What a whole text says about further messages."""

    NONE = "", _("nothing")
    STOP = "stop", _("no more messages")
    START = "start", _("messages again")


class InboundMessage(models.Model):
    """One text from a phone, kept once however often its provider brings it; `fingerprint` is what tells."""

    gateway = models.ForeignKey(Gateway, models.PROTECT, verbose_name=_("gateway"))
    # In E.164 where it can be told; a network's own short number or name stays as it came.
    phone = models.CharField(_("phone"), max_length=LONGEST_PHONE, db_index=True)
    text = EncryptedTextField(_("text"))
    reference = models.CharField(_("reference"), max_length=LONGEST_REFERENCE, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=LONGEST_FINGERPRINT, editable=False)
    opted = models.CharField(_("asks for"), max_length=10, choices=Word.choices, blank=True, default=Word.NONE)
    at = models.DateTimeField(_("written"), default=timezone.now)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    # By programs that ask for what they have not read yet.
    read_by = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("read by"), related_name="+", blank=True, editable=False
    )

    class Meta:
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbound messages")
        default_permissions = ()
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["gateway", "fingerprint"], name="inbound_once")]
        # For programs that ask every minute what has come since they asked last.
        indexes = [models.Index(fields=["received_at", "id"], name="inbound_received")]

    def __str__(self) -> str:
        return f"{self.phone} {timezone.localtime(self.received_at):%Y-%m-%d %H:%M:%S}"


class OptOut(models.Model):
    """A phone that gets no information; codes and credentials it asked for it does. Written by `opt_outs.py`."""

    phone = models.CharField(_("phone"), max_length=20, unique=True)
    since = models.DateTimeField(_("since"), default=timezone.now)
    inbound = models.ForeignKey(
        InboundMessage, models.SET_NULL, verbose_name=_("asked for by"), null=True, blank=True, related_name="+"
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("added by"), null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        default_permissions = ()
        ordering = ("-since", "-id")

    def __str__(self) -> str:
        return self.phone
