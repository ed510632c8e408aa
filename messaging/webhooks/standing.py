"""How a webhook fares, in one word, for API and admin."""

from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
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


def with_waiting(rows: "QuerySet[Webhook]") -> "QuerySet[Webhook]":
    """The webhooks with how many events wait for each, which `waiting` then knows without another question."""
    waits = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), due_at__isnull=False).order_by().values("webhook")
    counted = Subquery(waits.annotate(many=Count("pk")).values("many"))
    found: QuerySet[Webhook] = rows.annotate(waits=Coalesce(counted, 0))
    return found


def waiting(webhook: Webhook) -> int:
    """How many events wait for it."""
    known: int | None = webhook.__dict__.get("waits")
    if known is None:
        return WebhookDelivery.objects.filter(webhook=webhook, due_at__isnull=False).count()
    return known
