"""Messages that cannot leave through their gateway and may go through another one.

Which one is `gateways.routing`'s decision; here is which messages may move: never one with an unclear attempt, and
none that was meant for one gateway alone.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from gateways import health, pace, routing
from gateways.models import Gateway
from gateways.outcomes import Outcome, Refused, RefusedHere
from messaging.models import WAITING, Attempt, Message, State
from messaging.retries import Kind
from portal import clock

#: How many messages one sweep moves away from one gateway.
SOME = 1000
#: A gateway is given no more than it can hand over in so many seconds: its own messages do not wait for those that
#: come from others, and what stays may find its own gateway well again.
AHEAD = timedelta(seconds=2)


class Ways:
    """Other gateways for the messages of one batch; looked at only once one of them needs it."""

    def __init__(self) -> None:
        self._survey: routing.Survey | None = None

    def elsewhere(self, message: Message, *, now: bool = True) -> Gateway | None:
        """The other gateway at which this message may be tried, if there is one; `now`: at once.

        Gateways that refused it for good are left out. A code goes first to one that it has not been at.
        """
        if message.unclear or message.only_here:
            return None
        if self._survey is None:
            self._survey = routing.Survey()
        tried = dict(Attempt.objects.filter(message=message).order_by("pk").values_list("gateway", "outcome"))
        refused = {gateway_id for gateway_id, outcome in tried.items() if outcome == Outcome.REFUSED}
        found = self._survey.instead(message.phone, message.wanted_id, message.gateway_id, refused, now=now)
        if message.kind == Kind.CODE:
            found.sort(key=lambda one: one.pk in tried)
        return next(iter(found), None)


def give_up_here(message: Message, refused: Refused, ways: Ways | None = None) -> bool:
    """A gateway refused the message for good; where that was for a reason of its own, another one may take it.

    It waits there, where that one is paused.
    """
    ways = ways or Ways()
    other = None
    if isinstance(refused, RefusedHere):
        other = ways.elsewhere(message) or ways.elsewhere(message, now=False)
    return message.try_at_once(refused.reason, elsewhere=other) if other else message.fail(refused.reason)


def was_tried(message: Message, gateway: Gateway) -> bool:
    """Whether this message was handed to that gateway before."""
    return Attempt.objects.filter(message=message, gateway=gateway).exists()


def move_away() -> set[int]:
    """What waits at gateways that may not be used goes to those that may; where there is none it keeps waiting.

    Called every second: it looks at messages only where one gateway may not be used and another one may. Gives the
    ids of the gateways that have more to send now.
    """
    survey, rooms = routing.Survey(), Rooms()
    return {
        target.pk
        for gateway in survey.sociable
        if (targets := survey.usable_besides(gateway))
        for target in _move_from(gateway, targets, survey, rooms)
    }


class Rooms:
    """How many more messages each gateway may be given at this moment; counted once for each."""

    def __init__(self) -> None:
        self._left: dict[int, int] = {}

    def left(self, gateway: Gateway) -> int:
        """How many there are still."""
        if gateway.pk not in self._left:
            due = Message.objects.filter(gateway=gateway, state__in=WAITING, due_at__lte=clock.now() + AHEAD)
            self._left[gateway.pk] = _handed_over_soon(gateway) - due.count()
        return self._left[gateway.pk]

    def take(self, gateway: Gateway) -> None:
        """One is taken."""
        self._left[gateway.pk] = self.left(gateway) - 1


def _handed_over_soon(gateway: Gateway) -> int:
    """How many messages it can hand over in the time AHEAD; one where it is on trial."""
    if health.limit(gateway) < gateway.max_in_flight:
        return 1
    by_pace = math.ceil(gateway.rate_per_second * AHEAD.total_seconds())
    return min(by_pace, pace.left_today(gateway, health.of(gateway)))


def _move_from(
    gateway: Gateway, targets: Sequence[Gateway], survey: routing.Survey, rooms: Rooms
) -> Collection[Gateway]:
    """Moves what finds room elsewhere, the most urgent first; the gateways to which something went."""
    stuck = _stuck_at(gateway, targets)
    messages = list(stuck.defer("text").order_by("priority", "due_at", "pk")[:SOME]) if stuck is not None else []
    refused = _refusals(messages) if messages else {}
    moving: defaultdict[Gateway, list[Message]] = defaultdict(list)
    for message in messages:
        ways = survey.instead(message.phone, message.wanted_id, gateway.pk, refused.get(message.pk, ()))
        if target := next((one for one in ways if rooms.left(one) > 0), None):
            rooms.take(target)
            moving[target].append(message)
    for target, those in moving.items():
        Message.move_waiting(those, target)
    return moving.keys()


def _stuck_at(gateway: Gateway, targets: Sequence[Gateway]) -> QuerySet[Message] | None:
    """What cannot leave from there now; the database leaves out most of what has nowhere to go.

    Otherwise that would stand in the way of what comes behind it.
    """
    usable = routing.may_be_used(gateway)
    if usable and not gateway.prefixes:
        return None
    now = clock.now()
    stuck = Message.objects.filter(
        Q(state=State.QUEUED, due_at__lte=now) | Q(state=State.HELD, due_at__isnull=False),
        gateway=gateway,
        valid_until__gt=now,
        unclear=0,
        only_here=False,
    )
    if usable:
        stuck = stuck.exclude(routing.served(gateway))
    if all(one.prefixes for one in targets):
        stuck = stuck.filter(reduce(or_, map(routing.served, targets)))
    if gateway.strict:
        stuck = stuck.exclude(wanted=gateway)
        stuck = stuck.exclude(wanted=None) if gateway.is_default else stuck
    return stuck


def _refusals(messages: Sequence[Message]) -> dict[int, set[int]]:
    """By message, the gateways that refused it for good."""
    refused: dict[int, set[int]] = defaultdict(set)
    attempts = Attempt.objects.filter(message__in=messages, outcome=Outcome.REFUSED)
    for message_id, gateway_id in attempts.values_list("message", "gateway"):
        refused[message_id].add(gateway_id)
    return refused
