"""Tokens of the API, and answers kept for repeated requests."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """A token of the API; only its digest is stored. `created` is when it was issued, `expiry` slides with use."""

    # The digest is no primary key here: addresses and pages name rows by it.
    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(_("digest"), max_length=128, unique=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    address = models.GenericIPAddressField(_("issued to address"), null=True, blank=True)
    last_address = models.GenericIPAddressField(_("last used from"), null=True, blank=True)

    # A digest of the password's hash, empty where no password was given for it: another password ends the token.
    given_for = models.CharField(_("given for the password"), max_length=128, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.token_key[:6]}…"


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
