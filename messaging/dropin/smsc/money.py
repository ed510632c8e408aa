"""What an SMS costs and what is left, as SMSC.ru tells it: as far as the portal knows."""

from decimal import Decimal

from gateways import health
from gateways.models import Gateway
from portal.errors import Refusal


def price_of(gateway: Gateway, segments: int) -> str:
    """Raises Refusal where nobody has told the portal what a segment costs."""
    if gateway.segment_price is None:
        raise Refusal(f"The portal does not know what a segment costs at gateway “{gateway.name}”.")
    return f"{(gateway.segment_price * segments).quantize(Decimal('0.01'))}"


def balance_of(gateway: Gateway) -> str | None:
    """What was left when the provider was last asked; None where it tells none."""
    left = health.of(gateway).balance
    return None if left is None else f"{left}"
