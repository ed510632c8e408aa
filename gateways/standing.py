"""How a gateway fares, in the words of API and admin. Decides nothing: `health.py` and `pace.py` do."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from gateways import health
from gateways.models import Gateway


class Standing(models.TextChoices):
    """The one word for it."""

    OK = "ok", _("ready")
    PAUSED = "paused", _("paused")
    CREDENTIALS_REFUSED = "credentials_refused", _("credentials refused")
    OFF = "off", _("switched off")


#: What a balance warning is about, by its level.
BALANCE_WARNINGS = {
    1: _("below the threshold"),
    2: _("below half of the threshold"),
    3: _("nothing is left"),
}


def of(gateway: Gateway) -> Standing:
    """Switched off counts first, then what a person must mend, then what ends by itself."""
    if not gateway.enabled:
        return Standing.OFF
    if health.of(gateway).refused_at:
        return Standing.CREDENTIALS_REFUSED
    return Standing.PAUSED if paused_until(gateway) else Standing.OK


def paused_until(gateway: Gateway) -> datetime | None:
    """The end of the pause it is in, if it is in one."""
    found = health.of(gateway)
    return found.open_until if health.breaker(found) is health.Breaker.OPEN else None
