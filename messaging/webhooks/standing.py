"""How a webhook fares, in one word, for API and admin."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models import Stop, Webhook, WebhookDelivery


class Standing(models.TextChoices):
    """The one word for it."""

    OK = "ok", _("ready")
    FAILING = "failing", _("failing")
    PAUSED = "paused", _("paused")
    OFF = "off", _("switched off")
    GONE = "gone", _("gone: it wants no more")


def standing_of(webhook: Webhook) -> Standing:
    """What a person must do something about comes first."""
    if webhook.paused_because == Stop.GONE:
        return Standing.GONE
    if not webhook.enabled:
        return Standing.OFF
    if webhook.paused_at is not None:
        return Standing.PAUSED
    return Standing.FAILING if webhook.failing_since else Standing.OK


def waiting(webhook: Webhook) -> int:
    """How many events wait for it."""
    return WebhookDelivery.objects.filter(webhook=webhook, due_at__isnull=False).count()
