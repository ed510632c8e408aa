"""Sponsor: who may vouch for guests; and Approval: the question to one of them. `guests.approvals` asks."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from guests.models.registration import Registration
from messaging.models import Message
from portal.encryption import EncryptedTextField


class Sponsor(models.Model):
    """Somebody who vouches for guests; needs no account."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=150)
    email = models.EmailField(_("e-mail"), unique=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, help_text=_("Requests come by SMS, too."))
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("account"), null=True, blank=True, related_name="+"
    )
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Off: guests cannot name this sponsor."))

    class Meta:
        verbose_name = _("sponsor")
        verbose_name_plural = _("sponsors")
        default_permissions = ()
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Approval(models.Model):
    """The question to a sponsor whether a guest may come in, and the answer."""

    registration = models.OneToOneField(
        Registration, models.CASCADE, verbose_name=_("registration"), related_name="approval"
    )
    sponsor = models.ForeignKey(
        Sponsor, models.SET_NULL, verbose_name=_("sponsor"), null=True, blank=True, related_name="+"
    )
    email = models.EmailField(_("asked by e-mail"), blank=True)
    phone = models.CharField(_("asked by SMS"), max_length=20, blank=True)
    #: Of the link; empty once it was used or its time is over. The same goes for what the link ends in.
    link_digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    link = EncryptedTextField(_("link"), null=True, editable=False)
    #: Not before then, where the sponsor was asked too often.
    ask_at = models.DateTimeField(_("to be asked"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    sms = models.ForeignKey(
        Message, models.SET_NULL, verbose_name=_("last SMS to the sponsor"), null=True, blank=True, related_name="+"
    )
    #: When the mail server is to be tried next; empty: there is nothing to mail.
    mail_at = models.DateTimeField(_("to be mailed"), null=True, blank=True, db_index=True)
    mail_tries = models.PositiveSmallIntegerField(_("mail servers tried"), default=0)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    mail_fault = models.CharField(_("not mailed because"), max_length=300, blank=True)
    expires_at = models.DateTimeField(_("time is over"), null=True, blank=True, db_index=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    approved = models.BooleanField(_("approved"), null=True, blank=True)
    stay = models.DurationField(_("stay"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("decided by"), null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        default_permissions = ()
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def whom(self) -> str:
        """Who is asked, as people say it; empty where the guest named nobody."""
        return self.sponsor.name if self.sponsor else self.email

    def is_open(self, now: datetime) -> bool:
        """Whether the sponsor may still decide."""
        return self.decided_at is None and self.expires_at is not None and self.expires_at > now
