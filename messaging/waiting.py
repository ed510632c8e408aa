"""Why a message has not been handed over yet, in words for whoever asks."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways import health, pace, routing
from messaging.models import WAITING, Message, Wait
from portal import clock

SWITCHED_OFF = _("the gateway is switched off")
CREDENTIALS_REFUSED = _("the provider refuses the gateway's credentials")
LIMIT_REACHED = _("the gateway has sent all it may today")
NOT_ITS_PHONE = _("the gateway's prefixes leave this phone out")
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
    if message.waits_for == Wait.SCHEDULE and until and until > clock.now():
        return Waiting(Wait.SCHEDULE, Wait.SCHEDULE.label, until)
    if by_gateway := _held_up_by_gateway(message):
        return by_gateway
    if message.waits_for not in {Wait.NONE, Wait.GATEWAY, Wait.SCHEDULE}:
        return Waiting(message.waits_for, Wait(message.waits_for).label, until)
    return Waiting(Wait.NONE, NEXT_WORKER, until)


def _held_up_by_gateway(message: Message) -> Waiting | None:
    gateway, found = message.gateway, health.of(message.gateway)
    if not gateway.enabled:
        return Waiting(Wait.GATEWAY, SWITCHED_OFF, None)
    if found.refused_at:
        return Waiting(Wait.GATEWAY, CREDENTIALS_REFUSED, None)
    # Where it is only to be asked about, neither a pause nor a limit forbids that.
    return _not_handed_over_now(message, message.due_at) if message.due_at else None


def _not_handed_over_now(message: Message, due_at: datetime) -> Waiting | None:
    gateway, found = message.gateway, health.of(message.gateway)
    paused = found.open_until if health.breaker(found) is health.Breaker.OPEN else None
    if paused and paused > due_at:
        return Waiting(Wait.GATEWAY, Wait.GATEWAY.label, paused)
    if not pace.left_today(gateway, found):
        return Waiting(Wait.GATEWAY, LIMIT_REACHED, None)
    if not message.unclear and not routing.serves(gateway, message.phone):
        return Waiting(Wait.GATEWAY, NOT_ITS_PHONE, None)
    return None
