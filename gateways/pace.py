"""How many messages a gateway may be handed now and today: counted in the database, shared by all workers.

Per second: a token bucket that holds one second's worth of tokens, and at least one. Per day: a count that begins
anew at midnight of the portal's time zone.
"""

import math
from datetime import date

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from portal import clock

#: Floating-point sums of tokens may fall short of a whole number by less than this; the debt is carried on.
ROUNDING = 1e-6


def take(gateway: Gateway, wanted: int) -> tuple[int, float]:
    """Takes up to `wanted` tokens: how many it got, and the seconds until the next one where the pace gave fewer.

    Call it inside a transaction: the locked row keeps two workers from taking the same token.
    """
    GatewayHealth.objects.get_or_create(gateway=gateway)
    health = GatewayHealth.objects.select_for_update().get(gateway=gateway)
    now = clock.now()
    wanted = min(wanted, left_today(gateway, health))
    # A clock that was set back gives no tokens, and does not stop the bucket until it catches up either.
    elapsed = max(0.0, (now - health.pace_at).total_seconds())
    rate = gateway.rate_per_second
    tokens = min(max(1.0, rate), health.pace_tokens + rate * elapsed)
    granted = min(wanted, max(0, math.floor(tokens + ROUNDING)))
    left = tokens - granted
    GatewayHealth.objects.filter(gateway=gateway).update(
        pace_tokens=left, pace_at=now, day=today(), day_count=sent_today(health) + granted
    )
    return granted, 0.0 if granted == wanted else max(0.0, (1.0 - left) / rate)


def give_back(gateway_id: int, count: int) -> None:
    """Returns tokens that were taken and not used; a full bucket spills."""
    if count > 0:
        GatewayHealth.objects.filter(gateway_id=gateway_id).update(pace_tokens=F("pace_tokens") + count)
        uncount(gateway_id, count, today())


def uncount(gateway_id: int, count: int, day: date) -> None:
    """Takes messages that were not handed over off the count of the day on which they were counted."""
    if count > 0:
        counted = GatewayHealth.objects.filter(gateway_id=gateway_id, day=day)
        counted.update(day_count=Greatest(F("day_count") - count, 0))


def left_today(gateway: Gateway, health: GatewayHealth) -> int:
    """How many messages the daily limit still allows; without a limit, more than anybody asks for."""
    return 2**31 if gateway.daily_limit is None else max(0, gateway.daily_limit - sent_today(health))


def today() -> date:
    """The day that is counted now, by the portal's time zone."""
    return timezone.localdate(clock.now())


def sent_today(health: GatewayHealth) -> int:
    """How many messages of today it was handed, or may have been."""
    return health.day_count if health.day == today() else 0
