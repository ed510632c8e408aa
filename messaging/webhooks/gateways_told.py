"""Telling that a gateway may not be used, that it may again, and that its balance is low: each change once.

A gateway that is paused and tried again and again is down once. What was told last is kept, so that nothing is told
twice, and what a process that died had not told housekeeping finds.
"""

from typing import Any

from django.db import transaction

from gateways import health
from gateways.models import Gateway, GatewayHealth
from messaging import event_types
from messaging.models import GatewayTold, outbox
from portal import audit


def look(gateway_id: int) -> None:
    """Tells what has changed of this gateway since it was told last, in one transaction with what is kept of it."""
    found = GatewayHealth.objects.select_related("gateway").filter(pk=gateway_id).first()
    if found is None or not _differs(found, GatewayTold.objects.filter(pk=gateway_id).first()):
        return
    with transaction.atomic():
        GatewayTold.objects.get_or_create(pk=gateway_id)
        told = GatewayTold.objects.select_for_update().get(pk=gateway_id)
        found = GatewayHealth.objects.select_related("gateway").get(pk=gateway_id)
        _tell(found, told)
        GatewayTold.objects.filter(pk=gateway_id).update(down=is_down(found), balance_level=found.balance_warned)


def look_at_all() -> None:
    """Housekeeping: the same for every gateway of which something was not told."""
    kept = GatewayTold.objects.in_bulk()
    for found in GatewayHealth.objects.only("faults", "open_until", "refused_at", "balance_warned"):
        if _differs(found, kept.get(found.pk)):
            look(found.pk)


def is_down(found: GatewayHealth) -> bool:
    """Whether it is paused, on trial after a pause, or stopped: until a message has gone through, or a person acted."""
    return found.refused_at is not None or health.breaker(found) is not health.Breaker.CLOSED


def _differs(found: GatewayHealth, told: GatewayTold | None) -> bool:
    before = told or GatewayTold()
    return (is_down(found), found.balance_warned) != (before.down, before.balance_level)


def _tell(found: GatewayHealth, told: GatewayTold) -> None:
    gateway = found.gateway
    if is_down(found) and not told.down:
        outbox.tell(event_types.GATEWAY_DOWN, _down(gateway, found))
    elif told.down and not is_down(found):
        outbox.tell(event_types.GATEWAY_UP, {"sms_gateway": gateway.name})
    if found.balance_warned > told.balance_level:
        outbox.tell(event_types.BALANCE_LOW, _low(gateway, found))


def _down(gateway: Gateway, found: GatewayHealth) -> dict[str, Any]:
    return {
        "sms_gateway": gateway.name,
        "state": "credentials_refused" if found.refused_at else "paused",
        # A provider may name the phone of a message in what it says.
        "reason": audit.mask(found.last_error),
        "since": found.refused_at or found.last_error_at,
        "paused_until": None if found.refused_at else found.open_until,
    }


def _low(gateway: Gateway, found: GatewayHealth) -> dict[str, Any]:
    threshold = gateway.balance_warning
    return {
        "sms_gateway": gateway.name,
        "level": found.balance_warned,
        "balance": None if found.balance is None else str(found.balance),
        "currency": found.currency,
        "threshold": None if threshold is None else str(threshold),
    }
