"""Code: a one-time code for a phone, and the messages that carried it. `guests.registration.codes` judges it."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models import Message
from portal.encryption import EncryptedTextField

LIVES = timedelta(minutes=10)
#: So many wrong ones end a code, whoever typed them.
CODE_TRIES = 15


def usual_expiry() -> datetime:
    """When a code that is made now stops to work."""
    return timezone.now() + LIVES


class Code(models.Model):
    """One code. It is the phone's: every browser that registers this phone is asked for the same one."""

    phone = models.CharField(_("phone"), max_length=20, db_index=True)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    #: Only while it lives, so that it can be sent once more; never of a code that the provider made.
    kept = EncryptedTextField(_("code"), null=True)
    made_by_provider = models.BooleanField(_("made by the provider"), default=False)
    created = models.DateTimeField(_("made"), default=timezone.now, db_index=True)
    expires_at = models.DateTimeField(_("expires"), default=usual_expiry)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    entered_at = models.DateTimeField(_("entered"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    #: Those of which nobody knows that they were not sent.
    sends = models.PositiveSmallIntegerField(_("messages"), default=0)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        default_permissions = ()
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["phone"], condition=Q(ended_at__isnull=True), name="one_live_code_per_phone"
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="code_kept", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"

    def is_live(self, now: datetime) -> bool:
        """Whether it would still be taken."""
        return self.ended_at is None and self.expires_at > now


class CodeMessage(models.Model):
    """A message that carried a code, and what it was counted against while nobody knows that it was not sent."""

    code = models.ForeignKey(Code, models.CASCADE, verbose_name=_("code"), related_name="messages")
    message = models.OneToOneField(Message, models.CASCADE, verbose_name=_("message"), related_name="+")
    registration = models.ForeignKey(
        "guests.Registration",
        models.SET_NULL,
        verbose_name=_("asked for by"),
        null=True,
        blank=True,
        related_name="messages",
    )
    #: Of the link in it, where there is one.
    link_digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    at = models.DateTimeField(_("accepted"), default=timezone.now)
    #: The keys of LimitCount's rows.
    charged = models.JSONField(_("counted against"), default=list)
    given_back = models.BooleanField(_("given back"), default=False)

    class Meta:
        verbose_name = _("message with a code")
        verbose_name_plural = _("messages with a code")
        default_permissions = ()
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.code_id}/{self.message_id}"
