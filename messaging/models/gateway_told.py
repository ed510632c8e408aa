"""GatewayTold: what was last told of a gateway's state, so that each change is told once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway


class GatewayTold(models.Model):
    """A gateway without this row is up, and its balance was never low. Written by `messaging.webhooks` alone."""

    gateway = models.OneToOneField(
        Gateway, models.CASCADE, verbose_name=_("gateway"), related_name="+", primary_key=True
    )
    down = models.BooleanField(_("down"), default=False)
    balance_level = models.PositiveSmallIntegerField(_("balance warnings told"), default=0)

    class Meta:
        verbose_name = _("what was told of a gateway")
        verbose_name_plural = _("what was told of gateways")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.gateway_id)
