"""What messaging tells `/metrics`. Asks by index only: nothing here grows with the messages that are done."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily, Metric

from gateways.models import Gateway
from messaging import measures
from messaging.models import DeliveryEvent, Message
from messaging.receipts import ORPHAN_AGE
from portal import clock
from portal.metrics import counter, histogram

#: Calls that nobody was admitted with.
STRANGER = {"": "unknown"}
#: What `measures` observes.
HISTOGRAMS = {
    "drain_batch_messages": ("Messages claimed at once.", measures.SIZES),
    "drain_launch_seconds": ("To claim and launch a batch.", measures.SECONDS),
    "drain_settle_seconds": ("To write down its answers.", measures.SECONDS),
}
LABELS = {label: ("gateway", label) for label in ("kind", "outcome", "result")}


def families() -> Iterator[Metric]:
    """What waits now, and what was counted."""
    names = {str(pk): name for pk, name in Gateway.objects.values_list("pk", "name")}
    yield from waiting(names)
    yield counter("messages_accepted", "Messages taken in, by the gateway they first went to.", LABELS["kind"], names)
    yield counter("attempts", "Answers of providers, by outcome.", LABELS["outcome"], names)
    yield counter("callbacks", "Calls of providers.", LABELS["result"], names | STRANGER)
    for name, (meaning, bounds) in HISTOGRAMS.items():
        yield histogram(name, meaning, bounds, ["gateway"], names)
    lost = DeliveryEvent.objects.filter(message=None, received_at__gte=clock.now() - ORPHAN_AGE)
    yield GaugeMetricFamily("portal_receipts_unmatched", "Receipts of the last hour no message knows.", lost.count())


def waiting(names: dict[str, str]) -> Iterator[Metric]:
    """Queue depth, the oldest due message and what is in the air, for every gateway there is."""
    depth = GaugeMetricFamily("portal_messages_waiting", "Messages that are due now or later.", labels=["gateway"])
    oldest = GaugeMetricFamily("portal_oldest_due_seconds", "Since the oldest due message was due.", labels=["gateway"])
    flying = GaugeMetricFamily("portal_messages_in_flight", "Messages a worker holds.", labels=["gateway"])
    queued, leased, now = queues(), in_the_air(), clock.now()
    for pk, name in names.items():
        waits, since = queued.get(int(pk), (0, now))
        depth.add_metric([name], waits)
        oldest.add_metric([name], max(0.0, (now - since).total_seconds()))
        flying.add_metric([name], leased.get(int(pk), 0))
    yield from (depth, oldest, flying)


def queues() -> dict[int, tuple[int, datetime]]:
    """By gateway: how many messages wait, and since when the one that is longest due; later than now where none is."""
    waits = Message.objects.filter(due_at__isnull=False).order_by().values_list("gateway")
    return {
        gateway: (number, since) for gateway, number, since in waits.annotate(total=Count("*"), since=Min("due_at"))
    }


def in_the_air() -> dict[int, int]:
    """By gateway: how many messages a worker holds."""
    leased = Message.objects.filter(lease_until__isnull=False).order_by().values_list("gateway")
    return dict(leased.annotate(total=Count("*")))
