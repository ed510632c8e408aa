"""Webhook: an address that is told of events; and what is on record of telling it. Written by `messaging.webhooks`."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.outcomes import LONGEST_REASON
from portal.encryption import EncryptedTextField

LONGEST_NAME = 100
LONGEST_URL = 500
LONGEST_SUBJECT = 40
#: How much of an answer is kept.
LONGEST_ANSWER = 500


class Format(models.TextChoices):
    """How the body of a call is written."""

    STANDARD = "standard", _("Standard Webhooks")
    SMSMOBILEAPI_V1 = "smsmobileapi_v1", _("SMSmobileAPI, first version")


class Stop(models.TextChoices):
    """Why a webhook is called no more until a person resumes it."""

    NONE = "", _("nothing")
    FAILING = "failing", _("nothing but failures for three days")
    GONE = "gone", _("it answered 410 Gone")
    PERSON = "person", _("somebody paused it")


class Delivered(models.TextChoices):
    """What became of one event at one address."""

    PENDING = "pending", _("waiting")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")
    GIVEN_UP = "given_up", _("given up")


class Webhook(models.Model):
    """An address of another system, and the events that it is told of.

    `enabled` is a person's wish, or was ended by a 410; while it is paused events are kept for it. For a day after a
    new secret was made both sign.
    """

    name = models.CharField(_("name"), max_length=LONGEST_NAME, unique=True)
    # What is behind the host may let in whoever knows it.
    url = EncryptedTextField(_("address"))
    events = models.JSONField(_("events"), default=list)
    format = models.CharField(_("format"), max_length=20, choices=Format.choices, default=Format.STANDARD)
    verify_tls = models.BooleanField(
        _("check its certificate"), default=True, help_text=_("Leave it on, unless the certificate is your own.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    secret = EncryptedTextField(_("secret"), editable=False)
    former_secret = EncryptedTextField(_("former secret"), null=True, editable=False)
    former_until = models.DateTimeField(_("former secret signs until"), null=True, blank=True, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("made by"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    failing_since = models.DateTimeField(_("nothing but failures since"), null=True, blank=True, editable=False)
    rest_until = models.DateTimeField(_("left alone until"), null=True, blank=True, editable=False)
    last_failure = models.CharField(_("last failure"), max_length=LONGEST_REASON, blank=True, editable=False)
    last_success = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True, editable=False)
    paused_because = models.CharField(
        _("paused because"), max_length=10, choices=Stop.choices, blank=True, default=Stop.NONE, editable=False
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        default_permissions = ()
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class WebhookEvent(models.Model):
    """Something that happened, as it is told to everybody; `uid` is the `webhook-id`. The body is wiped in time.

    `about` names whose it is where somebody may have to be forgotten before that, in the words of the app that told it.
    """

    uid = models.CharField(_("id"), max_length=40, unique=True)
    type = models.CharField(_("type"), max_length=40)
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    body = EncryptedTextField(_("body"))
    about = models.CharField(_("about"), max_length=LONGEST_SUBJECT, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ()
        ordering = ("-id",)
        indexes = [models.Index(fields=["about"], name="webhook_event_about", condition=models.Q(about__gt=""))]

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"


class WebhookDelivery(models.Model):
    """One event for one webhook. It has a `due_at` as long as it waits: while a worker has it, that is its lease's end.

    `epoch` is raised by each claim, and whoever writes what became of it names the number: a worker that comes late
    writes nothing. The database knows no constraint towards the webhook, so that its removal never stands in the way of
    a message; housekeeping removes what is left of it.
    """

    webhook = models.ForeignKey(
        Webhook,
        models.DO_NOTHING,
        verbose_name=_("webhook"),
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    event = models.ForeignKey(
        WebhookEvent, models.CASCADE, verbose_name=_("event"), related_name="deliveries", db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=Delivered.choices, default=Delivered.PENDING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    epoch = models.PositiveIntegerField(_("epoch"), default=0)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, default=timezone.now)
    since = models.DateTimeField(_("waiting since"), default=timezone.now)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        default_permissions = ()
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["event", "webhook"], name="webhook_told_once")]
        indexes = [
            models.Index(fields=["webhook", "due_at"], name="webhook_due", condition=models.Q(due_at__isnull=False)),
            # For the list of one webhook's, and for what is left of one that was removed.
            models.Index(fields=["webhook", "id"], name="webhook_deliveries"),
            models.Index(fields=["since"], name="webhook_waiting", condition=models.Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.get_state_display()}"


class WebhookTry(models.Model):
    """One call: when it ended, how long it took, and what was answered."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, verbose_name=_("delivery"), related_name="calls")
    at = models.DateTimeField(_("time"), default=timezone.now)
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    # A receiver may repeat what it was told.
    answer = EncryptedTextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        default_permissions = ()
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status or self.reason}"
