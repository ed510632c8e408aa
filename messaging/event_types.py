"""What other systems can be told by webhooks: every type of event, with a sample of what it says. No database here.

Apps above hand down theirs by `EVENT_TYPES.append` in their `apps.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class EventType:
    """`name` is the `type` on the wire; `sample` is the `data` of one, with every key it ever has.

    Whoever has it sent somewhere `needs` the right of this name, as for reading the same in the portal.
    """

    name: str
    label: str | Promise
    needs: str
    sample: Mapping[str, Any]


SUBMITTED, DELIVERED, UNDELIVERED = "message.submitted", "message.delivered", "message.undelivered"
FAILED, UNRESOLVED = "message.failed", "message.unresolved"
RECEIVED = "sms.received"
GATEWAY_DOWN, GATEWAY_UP, BALANCE_LOW = "gateway.down", "gateway.up", "balance.low"
#: Comes when a person asks for it, whatever was chosen.
TEST = "webhook.test"

MESSAGE = {
    "id": 17, "state": "delivered", "reason": "", "kind": "credentials", "sms_gateway": "main", "batch": None,
    "caller_reference": None, "segments": 1, "created": "2026-11-22T12:00:00.000Z",
    "submitted_at": "2026-11-22T12:00:01.000Z", "finished_at": "2026-11-22T12:00:02.000Z",
}  # fmt: skip
INBOUND = {
    "id": 5, "sms_gateway": "main", "phone_number": "+79161234567", "message": "Where is the Wi-Fi?", "opted": "",
    "reference": "1234", "at": "2026-11-22T12:00:00.000Z", "received_at": "2026-11-22T12:00:01.000Z",
}  # fmt: skip
DOWN = {
    "sms_gateway": "main", "state": "credentials_refused", "reason": "401 Unauthorized",
    "since": "2026-11-22T12:00:00.000Z", "paused_until": None,
}  # fmt: skip
LOW = {"sms_gateway": "main", "level": 1, "balance": "95.50", "currency": "RUB", "threshold": "100.00"}

EVENT_TYPES: list[EventType] = [
    EventType(SUBMITTED, _("a provider took a message"), "MESSAGES_READ", MESSAGE | {"state": "submitted"}),
    EventType(DELIVERED, _("a message was delivered"), "MESSAGES_READ", MESSAGE),
    EventType(UNDELIVERED, _("a message was not delivered"), "MESSAGES_READ", MESSAGE | {"state": "undelivered"}),
    EventType(FAILED, _("a message was not sent, for certain"), "MESSAGES_READ", MESSAGE | {"state": "failed"}),
    EventType(UNRESOLVED, _("of a message nobody knows"), "MESSAGES_READ", MESSAGE | {"state": "unresolved"}),
    EventType(RECEIVED, _("somebody wrote to us"), "MESSAGES_READ", INBOUND),
    EventType(GATEWAY_DOWN, _("a gateway may not be used"), "SMS_GATEWAY_READ", DOWN),
    EventType(GATEWAY_UP, _("a gateway may be used again"), "SMS_GATEWAY_READ", {"sms_gateway": "main"}),
    EventType(BALANCE_LOW, _("a gateway's balance is low"), "SMS_GATEWAY_READ", LOW),
]


def names() -> list[str]:
    """What can be chosen, in the order in which it is offered."""
    return [one.name for one in EVENT_TYPES]


def named(name: str) -> EventType | None:
    """The type of this name."""
    return next((one for one in EVENT_TYPES if one.name == name), None)


def needs_of(name: str) -> str:
    """The right to read what such an event says, and what its receivers answered, who may repeat it."""
    found = named(name)
    return found.needs if found else "MESSAGES_READ"
