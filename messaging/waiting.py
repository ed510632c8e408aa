"""Why a message has not been handed over yet, in words for whoever asks."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways import health, pace
from messaging.models import WAITING, Message, State, Wait

SWITCHED_OFF = _("the gateway is switched off")
CREDENTIALS_REFUSED = _("the provider refuses the gateway's credentials")
LIMIT_REACHED = _("the gateway has sent all it may today")
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
    until = message.due_at or message.ask_at
    if by_gateway := _held_up_by_gateway(message, until):
        return by_gateway
    if message.waits_for not in {Wait.NONE, Wait.GATEWAY}:
        return Waiting(message.waits_for, Wait(message.waits_for).label, until)
    return Waiting(Wait.NONE, NEXT_WORKER, until)


def _held_up_by_gateway(message: Message, until: datetime | None) -> Waiting | None:
    gateway, found = message.gateway, health.of(message.gateway)
    if not gateway.enabled:
        return Waiting(Wait.GATEWAY, SWITCHED_OFF, None)
    if found.refused_at:
        return Waiting(Wait.GATEWAY, CREDENTIALS_REFUSED, None)
    paused = found.open_until if health.breaker(found) is health.Breaker.OPEN else None
    if paused and (until is None or paused > until):
        return Waiting(Wait.GATEWAY, Wait.GATEWAY.label, paused)
    if message.state != State.UNKNOWN and not pace.left_today(gateway, found):
        return Waiting(Wait.GATEWAY, LIMIT_REACHED, None)
    return None
