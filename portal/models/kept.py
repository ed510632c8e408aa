"""KeptChange: something changed that processes keep in memory."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeptChange(models.Model):
    """One change of what `portal.versions` watches, noted by the database itself. What has changed is not said.

    `value` is random: the sum of all values is the version, and none comes a second time.
    """

    value = models.BigIntegerField(_("random number"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("change of what is kept in memory")
        verbose_name_plural = _("changes of what is kept in memory")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
