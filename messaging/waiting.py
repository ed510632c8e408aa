"""Why a message has not been handed over yet, in words for whoever asks."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways import health
from messaging.models import WAITING, Message, Wait

SWITCHED_OFF = _("the gateway is switched off")
NEXT_WORKER = _("the next free worker takes it")


@dataclass(frozen=True)
class Waiting:
    """`reason` is one word of Wait, empty for an ordinary turn; `until` is None where nobody can tell."""

    reason: str
    sentence: str | Promise
    until: datetime | None


def why(message: Message) -> Waiting | None:
    """What the message waits for, or None where it does not wait."""
    if message.state not in WAITING:
        return None
    if not message.gateway.enabled:
        return Waiting(Wait.GATEWAY, SWITCHED_OFF, None)
    until = message.due_at or message.ask_at
    paused = health.paused_until(message.gateway_id)
    if paused and (until is None or paused > until):
        return Waiting(Wait.GATEWAY, Wait.GATEWAY.label, paused)
    if message.waits_for not in {Wait.NONE, Wait.GATEWAY}:
        return Waiting(message.waits_for, Wait(message.waits_for).label, until)
    return Waiting(Wait.NONE, NEXT_WORKER, until)
