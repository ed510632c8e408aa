"""`/metrics` for Prometheus: the web's own requests, and what apps hand in by `registry.METRICS`.

What the database knows is read at the scrape, what only processes know from the totals they add to (`counting`). So
ours are the same from whichever process and machine is asked; the web's own belong to the machine that answers.
"""

import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.utils import floatToGoString

from portal import callers, counting
from portal.health import ALIVE
from portal.models import WorkerHeartbeat
from portal.registry import METRICS
from portal.version import version

logger = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"


@csrf_exempt  # so that a wrong method is told apart from a forbidden one
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything, to those who may read it."""
    if not may_read(request):
        remedy = "Show the token of METRICS_TOKEN as a Bearer, or come from a network of METRICS_NETWORKS.\n"
        return HttpResponse(remedy, status=403, content_type=PLAIN)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """Who shows the token, or comes from a network that needs none."""
    kind, _space, shown = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and kind.lower() == "bearer":
        return secrets.compare_digest(shown.strip().encode(), settings.METRICS_TOKEN.encode())
    return _is_near(request)


def _is_near(request: HttpRequest) -> bool:
    address = callers.address_of(request)
    # A proxy that nobody told us of stands before us: whom it brings is not known.
    if address is None or (address == request.META.get("REMOTE_ADDR") and "X-Forwarded-For" in request.headers):
        return False
    return any(ip_address(address) in network for network in settings.METRICS_NETWORKS)


class Ours:
    """What the apps hand in. A part that fails is left out, and `portal_metrics_failed` says so."""

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        failed = GaugeMetricFamily("portal_metrics_failed", "Whether this part could not be told.", labels=["part"])
        for path in METRICS:
            try:
                found = list(import_string(path)())
            except Exception as error:  # noqa: BLE001 — a scrape tells what can be told
                logger.warning("%s gives no metrics (%s)", path, type(error).__name__)
                failed.add_metric([path], 1)
            else:
                failed.add_metric([path], 0)
                yield from found
        yield failed


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    ours = CollectorRegistry(auto_describe=False)
    ours.register(Ours())
    return _of_the_web() + generate_latest(ours)


def _of_the_web() -> bytes:
    """Counted by django-prometheus, in files where several processes serve the web."""
    if values.ValueClass is not values.MutexValue:
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)
    return generate_latest(REGISTRY)


def of_the_ground() -> Iterator[Metric]:
    """The portal itself, its workers, and what the audit trail wrote down."""
    about = GaugeMetricFamily("portal_version", "Always 1; the version is a label.", labels=["version"])
    about.add_metric([version()], 1)
    yield about
    seen = list(WorkerHeartbeat.objects.values_list("at", flat=True))
    now = timezone.now()
    alive = sum(now - at < ALIVE for at in seen)
    yield GaugeMetricFamily("portal_workers_alive", "Workers seen in the last seconds.", value=alive)
    age = (now - max(seen)).total_seconds() if seen else float("inf")
    yield GaugeMetricFamily("portal_heartbeat_age_seconds", "Since any worker was last seen.", value=age)
    yield counter("audit_events", "Events in the audit trail.", ("door", "result"))


def counter(
    name: str,
    meaning: str,
    labels: Sequence[str],
    names: Mapping[str, str] | None = None,
    *,
    named: str = "gateway",
) -> Metric:
    """The totals of this name. `names` says for the ids in the label `named` what people call them."""
    family = CounterMetricFamily(f"portal_{name}", meaning, labels=labels)
    for values_, amount in _by_labels(counting.totals_of(name), labels, names, named).items():
        family.add_metric(values_, amount)
    return family


def histogram(
    name: str, meaning: str, bounds: Sequence[float], labels: Sequence[str], names: Mapping[str, str]
) -> Metric:
    """The totals that `counting.observe` made under this name, with these bounds."""
    family = HistogramMetricFamily(f"portal_{name}", meaning, labels=labels)
    sums = _by_labels(counting.totals_of(f"{name}_sum"), labels, names)
    buckets = _by_labels(counting.totals_of(f"{name}_bucket"), [*labels, counting.BOUND], names)
    for values_, total in sums.items():
        own = {float(found[-1]): amount for found, amount in buckets.items() if found[:-1] == values_}
        family.add_metric(values_, buckets=_cumulated(own, bounds), sum_value=total)
    return family


def _by_labels(
    totals: Iterable[tuple[str, dict[str, str], float]],
    labels: Sequence[str],
    names: Mapping[str, str] | None,
    named: str = "gateway",
) -> dict[tuple[str, ...], float]:
    """Totals under the values of their labels; what belongs to one that is gone is left out."""
    found: dict[tuple[str, ...], float] = defaultdict(float)
    for _name, given, amount in totals:
        said = dict(given)
        if names is not None and named in said:
            if said[named] not in names:
                continue
            said[named] = names[said[named]]
        found[tuple(said.get(label, "") for label in labels)] += amount
    return dict(found)


def _cumulated(own: Mapping[float, float], bounds: Sequence[float]) -> list[tuple[str, float]]:
    total = 0.0
    buckets = []
    for bound in sorted({*own, *bounds, float("inf")}):
        total += own.get(bound, 0)
        buckets.append((str(floatToGoString(bound)), total))  # type: ignore[no-untyped-call]
    return buckets
