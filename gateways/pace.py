"""How many messages a gateway may be handed now and today: counted in the database, shared by all workers.

Per second: a token bucket that holds one second's worth of tokens, and at least one. Per day: a count that begins
anew at midnight of the portal's time zone.
"""

import math
from datetime import date, datetime, timedelta

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from portal import clock

#: Floating-point sums of tokens may fall short of a whole number by less than this; the debt is carried on.
ROUNDING = 1e-6
#: One in so many, of a gateway's tokens and of the messages it may have at once, is kept for codes.
RESERVED = 10
#: From so many on at least one is kept; of fewer it would be missed too much.
RESERVED_FROM = 4
#: What lies no further ahead was written by another clock; what lies further, before ours was set back.
SKEW = timedelta(seconds=2)


class Bucket:
    """The tokens of one gateway, while nobody else can take any: from `lock` to the end of the transaction."""

    def __init__(self, gateway: Gateway, health: GatewayHealth) -> None:
        self.health = health
        self._now = _moment_after(health.pace_at)
        self._rate = gateway.rate_per_second
        elapsed = max(0.0, (self._now - health.pace_at).total_seconds())
        size = max(1.0, self._rate)
        self._tokens = min(size, health.pace_tokens + self._rate * elapsed)
        self._kept = reserve(math.floor(size))
        self._today = left_today(gateway, health)

    def allows(self, *, urgent: bool) -> int:
        """How many messages may be taken now; `urgent` ones may have the last tokens too."""
        kept = 0 if urgent else self._kept
        return max(0, min(math.floor(self._tokens + ROUNDING) - kept, self._today))

    def wait(self, *, urgent: bool) -> float:
        """Seconds until the pace allows one more; 0 where it does now, or where only another day can."""
        needed = 1 + (0 if urgent else self._kept)
        return 0.0 if self._today == 0 else max(0.0, (needed - self._tokens) / self._rate)

    def take(self, count: int) -> None:
        """So many are handed over: their tokens are gone, and the day's count is higher by them."""
        self._tokens -= count
        self._today -= count
        day_count = sent_today(self.health) + count
        GatewayHealth.objects.filter(pk=self.health.pk).update(
            pace_tokens=self._tokens, pace_at=self._now, day=today(), day_count=day_count
        )


def _moment_after(last: datetime) -> datetime:
    """Now, or where another worker's clock is a little ahead of ours, its moment: no stretch of time counts twice.

    A clock that was set back gives no tokens, and does not stop the bucket until it catches up either.
    """
    now = clock.now()
    return last if now < last <= now + SKEW else now


def lock(gateway: Gateway) -> Bucket:
    """The gateway's bucket, for the rest of this transaction ours alone: no two workers take the same token."""
    locked = GatewayHealth.objects.select_for_update().filter(pk=gateway.pk)
    found = locked.first()
    if found is None:
        full = {"pace_tokens": max(1.0, gateway.rate_per_second)}
        GatewayHealth.objects.get_or_create(gateway=gateway, defaults=full)
        found = locked.get()
    return Bucket(gateway, found)


def reserve(limit: int) -> int:
    """How many of so many are kept for codes, so that one that comes while much is under way waits for nothing."""
    return max(limit // RESERVED, int(limit >= RESERVED_FROM))


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
