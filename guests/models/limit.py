"""LimitCount: how often something was done; and Brake: whether registration is stopped. `guests.limits` counts."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What is counted."""

    ADDRESS = "address", _("messages for an address")
    COUNTRY = "country", _("messages to a country")
    DEVICE = "device", _("messages for a device")
    NETWORK = "network", _("messages for a network")
    PHONE = "phone", _("messages to a phone")
    PORTAL = "portal", _("messages of the whole portal")
    PREFIX = "prefix", _("messages to a number range")
    GUESSES = "guesses", _("wrong passwords of a guest at an address")
    GUESSES_ADDRESS = "guesses_address", _("wrong passwords from an address")
    GUESSES_NAME = "guesses_name", _("wrong passwords of a guest")
    SPONSOR = "sponsor", _("requests to a sponsor")


class LimitCount(models.Model):
    """How often it was done since `since`. Once `minutes` have passed since then, it counts no more."""

    scope = models.CharField(_("what is counted"), max_length=20, choices=Scope.choices)
    minutes = models.PositiveIntegerField(_("in so many minutes"))
    key = models.CharField(_("of whom"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"), db_index=True)
    count = models.PositiveIntegerField(_("count"), default=0)
    most = models.PositiveIntegerField(_("at most"), default=0)
    refused = models.PositiveIntegerField(_("turned away"), default=0)

    class Meta:
        verbose_name = _("count")
        verbose_name_plural = _("held back")
        default_permissions = ()
        ordering = ("scope", "minutes", "key")
        constraints = [models.UniqueConstraint(fields=["scope", "minutes", "key"], name="limit_is_counted_once")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}".strip()

    @property
    def span(self) -> timedelta:
        """How long a count lasts."""
        return timedelta(minutes=self.minutes)


class Brake(models.Model):
    """Whether registration is stopped because too few codes are entered. One row; `guests.limits.brake` has it."""

    pulled_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    sent = models.PositiveIntegerField(_("codes sent"), default=0)
    entered = models.PositiveIntegerField(_("codes entered"), default=0)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("released by"),
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("brake")
        verbose_name_plural = _("brake")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
