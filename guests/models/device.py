"""Device: what a guest comes in with, as the network names it. `guests.devices` writes it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guests.models.guest import Guest


class Device(models.Model):
    """A device with which a guest came in, as the network named it."""

    guest = models.ForeignKey(Guest, models.CASCADE, verbose_name=_("guest"), related_name="devices")
    mac = models.CharField(_("MAC"), max_length=17, db_index=True)
    ssid = models.CharField(_("network"), max_length=32, blank=True)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        default_permissions = ()
        ordering = ("-last_seen",)
        constraints = [models.UniqueConstraint(fields=["guest", "mac"], name="device_is_listed_once")]

    def __str__(self) -> str:
        return self.mac
