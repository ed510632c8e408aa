"""Tokens and keys of the API, and answers kept for repeated requests."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from knox.models import AbstractAuthToken

from portal.models.narrowed import Narrowed


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """A token of the API; only its digest is stored. `created` is when it was issued, `expiry` slides with use."""

    class Way(models.TextChoices):
        """By which way it was given."""

        LOGIN = "login", _("login")
        ENVELOPE = "envelope", _("action envelope")

    # The digest is no primary key here: addresses and pages name rows by it.
    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(_("digest"), max_length=128, unique=True)
    way = models.CharField(_("given by"), max_length=10, choices=Way.choices, default=Way.LOGIN)
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


class ApiKey(Narrowed):
    """A program's key of the API, for a user; only its digest is stored. How one is made and found: `portal.keys`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="api_keys")
    name = models.CharField(_("name"), max_length=100)
    beginning = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    created = models.DateTimeField(pgettext_lazy("key or client", "made"), auto_now_add=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("made by"), null=True, blank=True, related_name="+"
    )
    last_used = models.DateTimeField(_("last used"), null=True, blank=True)
    last_address = models.GenericIPAddressField(_("last used from"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="api_key_named_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


class IdempotencyRecord(models.Model):
    """The one answer to every request that carries the same Idempotency-Key; written with what it did."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    # Which of the user's programs, where it has a key or a secret of its own: what one did is not told to another.
    program = models.CharField(_("program"), max_length=30, blank=True, default="")
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
        constraints = [
            models.UniqueConstraint(fields=["user", "program", "endpoint", "key"], name="idempotency_key_used_once")
        ]
        # Those without an answer, which say only that there was a call, go much sooner than the others.
        indexes = [models.Index(fields=["created"], condition=models.Q(status=0), name="record_without_answer")]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.created:%Y-%m-%d %H:%M:%S}"
