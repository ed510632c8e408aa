"""What self-registration tells `/metrics`. Asks by index only."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from guests import limits
from guests.limits import brake
from portal.metrics import counter


def families() -> Iterator[Metric]:
    """What became of registrations, the codes sent, and whether anything holds guests back now."""
    yield counter("guest_registrations", "Registrations by what became of them.", ("outcome",))
    yield counter("guest_codes_sent", "Messages with a code that were accepted for sending.", ())
    pulled = brake.is_pulled(brake.current(), timezone.now())
    yield GaugeMetricFamily("portal_registration_stopped", "Whether the brake stops registration.", int(pulled))
    held = limits.held_back().count()
    yield GaugeMetricFamily("portal_limits_used_up", "Limits of self-registration that are used up now.", held)
