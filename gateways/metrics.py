"""What gateways tell `/metrics`: how each fares."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from gateways import health
from gateways.models import Gateway


def families() -> Iterator[Metric]:
    """Breaker, credentials and balance of every gateway that is switched on."""
    breaker = GaugeMetricFamily(
        "portal_gateway_breaker", "1 in the state its breaker is in.", labels=["gateway", "state"]
    )
    refused = GaugeMetricFamily(
        "portal_gateway_credentials_refused", "1 where a person must mend the credentials.", labels=["gateway"]
    )
    balance = GaugeMetricFamily(
        "portal_gateway_balance", "What is left on the account.", labels=["gateway", "currency"]
    )
    for gateway in Gateway.objects.filter(enabled=True).select_related("health"):
        found = health.of(gateway)
        for state in health.Breaker:
            breaker.add_metric([gateway.name, state.value], int(health.breaker(found) is state))
        refused.add_metric([gateway.name], int(found.refused_at is not None))
        if found.balance is not None:
            balance.add_metric([gateway.name, found.currency], float(found.balance))
    yield from (breaker, refused, balance)
