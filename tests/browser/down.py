"""Gateways at which nobody answers. Runs in the environment of the portal that has them."""

from typing import Any

from gateways import accounts
from gateways.models import Gateway
from guests.models import LimitCount


def make(settings: dict[str, Any], closed: int, *, reserve_works: bool) -> list[str]:
    """The default gateway is down, and perhaps the one after it as well: at the port `closed` nobody listens."""
    down = settings | {"url": f"http://127.0.0.1:{closed}/send", "repeat_is_safe": False}
    Gateway.objects.update(is_default=False, enabled=False)
    accounts.create(name="main", provider="http", sender="Hotel", settings=down, priority=1, is_default=True)
    reserve = settings if reserve_works else down
    accounts.create(name="reserve", provider="http", sender="Hotel", settings=reserve, priority=2)
    return list(Gateway.objects.values_list("name", flat=True))


def counted() -> int:
    """What the limits hold against anybody."""
    return sum(LimitCount.objects.values_list("count", flat=True))
