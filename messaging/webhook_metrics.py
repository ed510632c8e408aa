"""What webhooks tell `/metrics`: what waits for each and since when, how it fares, and what its calls came to."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily, Metric

from messaging.models import Webhook, WebhookDelivery
from messaging.webhooks import Standing, standing_of
from portal import clock
from portal.metrics import counter


def families() -> Iterator[Metric]:
    """What waits now, and what was counted."""
    webhooks = list(Webhook.objects.defer("url", "secret", "former_secret"))
    names = {str(webhook.pk): webhook.name for webhook in webhooks}
    yield from waiting(names)
    state = GaugeMetricFamily("portal_webhook_state", "1 in the state it is in.", labels=["webhook", "state"])
    for webhook in webhooks:
        for one in Standing:
            state.add_metric([webhook.name, one.value], int(standing_of(webhook) is one))
    yield state
    calls = ("webhook", "outcome")
    yield counter("webhook_calls", "Calls of receivers, by outcome.", calls, names, named="webhook")
    lost = "Events that were given up, or failed at their last try."
    yield counter("webhook_deliveries_lost", lost, ("webhook",), names, named="webhook")


def waiting(names: dict[str, str]) -> Iterator[Metric]:
    """How many events wait for each webhook there is, and since when the first of them does."""
    depth = GaugeMetricFamily("portal_webhook_deliveries_waiting", "Events that wait.", labels=["webhook"])
    oldest = GaugeMetricFamily(
        "portal_webhook_oldest_waiting_seconds", "Since the oldest of them waits.", labels=["webhook"]
    )
    queued, now = queues(), clock.now()
    for pk, name in names.items():
        waits, since = queued.get(int(pk), (0, now))
        depth.add_metric([name], waits)
        oldest.add_metric([name], max(0.0, (now - since).total_seconds()))
    yield from (depth, oldest)


def queues() -> dict[int, tuple[int, datetime]]:
    """By webhook: how many events wait, and since when the oldest does."""
    waits = WebhookDelivery.objects.filter(due_at__isnull=False).order_by().values_list("webhook")
    return {
        webhook: (number, since) for webhook, number, since in waits.annotate(total=Count("*"), oldest=Min("since"))
    }
