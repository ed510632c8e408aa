"""What the Defender keeps: hosts it watches, the tries that were refused, and networks that are not blocked."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    """By which way somebody tried to come in."""

    PASSWORD = "password", _("password")
    TOKEN = "token", _("token")
    CODE = "code", _("second factor")
    KEY = "key", _("key")
    CLIENT = "client", _("OAuth client")


class WatchedHosts(models.QuerySet["WatchedHost"]):
    """Hosts, and users at hosts."""

    def blocked(self, now: datetime | None = None) -> "WatchedHosts":
        """Those that are blocked at this moment."""
        return self.filter(until__gt=now or timezone.now())


class WatchedHost(models.Model):
    """A host from which sign-ins were refused, or one user's name there; blocked where there were too many.

    A host is an IPv4 address or an IPv6 network of 64 bits, as `portal.callers.host_of` spells it. A name that belongs
    to no user is kept as a mark (`portal.strangers`).
    """

    host = models.CharField(_("host"), max_length=50)
    username = models.CharField(_("user"), max_length=150, blank=True, default="")
    count = models.PositiveIntegerField(_("refused sign-ins"), default=0)
    first_try = models.DateTimeField(_("first try"), null=True, blank=True)
    last_try = models.DateTimeField(_("last try"), null=True, blank=True)
    until = models.DateTimeField(_("blocked until"), null=True, blank=True, db_index=True)
    #: How often in a row it was blocked; each time lasts longer.
    times = models.PositiveSmallIntegerField(_("blocks in a row"), default=0)
    #: Where a person blocked it, why and who.
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("blocked by"), null=True, blank=True
    )

    objects: ClassVar = WatchedHosts.as_manager()

    class Meta:
        verbose_name = _("watched host")
        verbose_name_plural = _("watched hosts")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["host", "username"], name="host_watched_once")]

    def __str__(self) -> str:
        return f"{self.username} @ {self.host}" if self.username else self.host

    def is_blocked(self, now: datetime) -> bool:
        """Whether nobody comes in from here."""
        return self.until is not None and self.until > now

    @staticmethod
    def rows(host: str, username: str) -> Q:
        """The host as a whole and, where a name is given, the user there."""
        return Q(host=host, username__in={"", username})


class RefusedTry(models.Model):
    """One sign-in that was refused. Nothing of what was tried is kept."""

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    host = models.CharField(_("host"), max_length=50, db_index=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    username = models.CharField(_("user"), max_length=150, blank=True, default="")
    way = models.CharField(_("way"), max_length=20, choices=Way.choices)

    class Meta:
        verbose_name = _("refused sign-in")
        verbose_name_plural = _("refused sign-ins")
        default_permissions = ()
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.host}"


class AllowedNetwork(models.Model):
    """A network whose hosts are never blocked as a whole, beside those of the settings."""

    network = models.CharField(_("network"), max_length=50, unique=True)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    since = models.DateTimeField(_("since"), auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("added by"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("network that is not blocked")
        verbose_name_plural = _("networks that are not blocked")
        default_permissions = ()
        ordering = ("network",)

    def __str__(self) -> str:
        return self.network
