"""Staff who sign in, their API tokens, the audit trail, answers kept for repeated requests, and workers' heartbeats."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from portal.permissions import Right


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A member of staff or a program of theirs. Guests are `guests.Guest`, never users."""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        default_permissions = ()
        permissions = tuple((right.value, right.label) for right in Right)


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """A token of the API; only its digest is stored. `created` is when it was issued, `expiry` slides with use."""

    # The digest is no primary key here: addresses and pages name rows by it.
    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(_("digest"), max_length=128, unique=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    address = models.GenericIPAddressField(_("issued to address"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.token_key[:6]}…"


class AuditEvent(models.Model):
    """One call that changed or sent something, or tried to: who, from where, what, on what, with what result."""

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, blank=True)
    user_name = models.CharField(_("user name"), max_length=150, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    action = models.CharField(_("action"), max_length=100)
    object_id = models.CharField(_("object"), max_length=200, blank=True)
    method = models.CharField(_("method"), max_length=10, blank=True)
    path = models.CharField(_("path"), max_length=300, blank=True)
    request = models.JSONField(_("request"), default=dict, blank=True)
    status = models.PositiveSmallIntegerField(_("result"))

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ()
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name} {self.action} {self.status}"


class IdempotencyRecord(models.Model):
    """The one answer to every request that carries the same Idempotency-Key; written with what it did."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    endpoint = models.CharField(_("endpoint"), max_length=100)
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    answer = models.TextField(_("answer"))
    created = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("answer kept for a repeated request")
        verbose_name_plural = _("answers kept for repeated requests")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "endpoint", "key"], name="idempotency_key_used_once")]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.created:%Y-%m-%d %H:%M:%S}"


class WorkerHeartbeat(models.Model):
    """When a worker last did the beat's work; `/readyz` looks for a recent one."""

    worker = models.CharField(_("worker"), max_length=200, primary_key=True)
    at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        default_permissions = ()

    def __str__(self) -> str:
        return self.worker
