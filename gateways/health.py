"""The breaker: a gateway whose account is at fault is paused for a growing while. Not here: which gateway is next."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
LONGEST_REASON = 300


def pause_after(faults: int) -> timedelta:
    """How long to leave a gateway alone after so many faults in a row: 30 s, 60 s, … 10 minutes."""
    return min(FIRST_PAUSE * int(2 ** min(faults - 1, 10)), LONGEST_PAUSE)


def record_fault(gateway_id: int, reason: str) -> datetime:
    """Pauses the gateway and tells until when. Faults that come in while it is paused do not lengthen the pause."""
    while True:
        now = timezone.now()
        health, _made = GatewayHealth.objects.get_or_create(gateway_id=gateway_id)
        if health.open_until and health.open_until > now:
            return health.open_until
        until = now + pause_after(health.faults + 1)
        opened = GatewayHealth.objects.filter(
            Q(open_until=None) | Q(open_until__lte=now), gateway_id=gateway_id, faults=health.faults
        ).update(open_until=until, faults=health.faults + 1, last_error=reason[:LONGEST_REASON], last_error_at=now)
        if opened:
            return until
        # Another worker was first; look again at what it wrote.


def record_error(gateway_id: int, reason: str) -> None:
    """Remembers the last error and leaves the gateway open."""
    GatewayHealth.objects.update_or_create(
        gateway_id=gateway_id, defaults={"last_error": reason[:LONGEST_REASON], "last_error_at": timezone.now()}
    )


def record_success(gateway_id: int) -> None:
    """After a pause: the trial went well and the faults are forgotten. The last error stays on record.

    During a pause it proves nothing: it answers a call that was under way when the fault came. Writes only where
    there is something to forget.
    """
    now = timezone.now()
    troubled = GatewayHealth.objects.filter(gateway_id=gateway_id, faults__gt=0, open_until__lte=now)
    if troubled.exists():
        troubled.update(faults=0, open_until=None)


def limit(gateway: Gateway) -> int:
    """How many messages may be in flight: none while it is paused, one on trial after a fault, else its own limit."""
    health = GatewayHealth.objects.filter(gateway=gateway).first()
    if health is None or not health.faults:
        return gateway.max_in_flight
    return 0 if health.open_until and health.open_until > timezone.now() else 1


def paused_until(gateway_id: int) -> datetime | None:
    """When the pause ends, or None where there is none."""
    return (
        GatewayHealth.objects.filter(gateway_id=gateway_id, open_until__gt=timezone.now())
        .values_list("open_until", flat=True)
        .first()
    )
