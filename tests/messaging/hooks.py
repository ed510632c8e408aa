"""Short ways to make a webhook, to accept a message, and to let time pass for what waits to be delivered."""

import json
from datetime import timedelta
from typing import Any

from django.db.models import F

from messaging import webhooks
from messaging.models import Webhook, WebhookDelivery, WebhookEvent
from messaging.webhooks import delivering
from tests.simulators.receiver import Receiver

EVERY_MESSAGE = [f"message.{name}" for name in ("submitted", "delivered", "undelivered", "failed", "unresolved")]


def listen(*events: str, url: str = "https://receiver.example.org/hook", **details: Any) -> Webhook:
    """A webhook that is told of these events."""
    name = f"receiver {Webhook.objects.count()}"
    made = webhooks.create(by=None, name=name, url=url, events=list(events) or EVERY_MESSAGE, **details)
    # As after the commit, which a test may never come to.
    webhooks.forget()
    return made.webhook


def listening(receiver: Receiver, *events: str, **details: Any) -> Webhook:
    """A webhook of this receiver, which knows its secret."""
    webhook = listen(*events, url=f"{receiver.url}/hook", **details)
    receiver.secret = webhook.secret
    return webhook


def told() -> list[dict[str, Any]]:
    """The bodies of all events on record, in order."""
    return [json.loads(event.body) for event in WebhookEvent.objects.order_by("pk")]


def said(event_type: str) -> list[dict[str, Any]]:
    """The data of the events of this type."""
    return [body["data"] for body in told() if body["type"] == event_type]


def deliver_all() -> None:
    """What a worker does for every webhook that something is due for."""
    for webhook in delivering.due():
        delivering.deliver(webhook)


def let_time_pass(**time: float) -> None:
    """What waits becomes due as if so much time had gone by, and whoever is left alone has been for so long."""
    shift = timedelta(**time)
    WebhookDelivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - shift, since=F("since") - shift)
    Webhook.objects.filter(rest_until__isnull=False).update(rest_until=F("rest_until") - shift)
    Webhook.objects.filter(failing_since__isnull=False).update(failing_since=F("failing_since") - shift)


def only(webhook: Webhook) -> WebhookDelivery:
    """The one delivery of this webhook, as the database has it now."""
    return WebhookDelivery.objects.select_related("event").get(webhook=webhook)
