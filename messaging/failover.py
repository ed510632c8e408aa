"""Messages that cannot leave through their gateway and may go through another one.

Which one is `gateways.routing`'s decision; here is which messages may move: never one with an unclear attempt, and
none that was meant for one gateway alone.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from gateways import routing
from gateways.models import Gateway
from gateways.outcomes import Outcome, Refused, RefusedHere
from messaging.models import Attempt, Message, State

#: How many messages one sweep moves away from one gateway.
SOME = 1000


class Ways:
    """Other gateways for the messages of one batch; looked at only once one of them needs it."""

    def __init__(self) -> None:
        self._survey: routing.Survey | None = None

    def elsewhere(self, message: Message) -> Gateway | None:
        """The other gateway at which this message may be tried now, if there is one."""
        if self._survey is None:
            self._survey = routing.Survey()
        return elsewhere(message, self._survey)


def give_up_here(message: Message, refused: Refused, ways: Ways | None = None) -> bool:
    """A gateway refused the message for good; where that was for a reason of its own, another one may take it."""
    other = (ways or Ways()).elsewhere(message) if isinstance(refused, RefusedHere) else None
    return message.try_at_once(refused.reason, elsewhere=other) if other else message.fail(refused.reason)


def elsewhere(message: Message, survey: routing.Survey, refused_by: Collection[int] | None = None) -> Gateway | None:
    """The other gateway at which this message may be tried now, if there is one.

    Gateways that refused it for good, `refused_by`, are left out; they are looked up where they are not given.
    """
    if message.unclear or message.only_here:
        return None
    if refused_by is None:
        refused_by = _refusals([message])[message.pk]
    return survey.instead(message.phone, message.wanted_id, message.gateway_id, refused_by)


def _refusals(messages: Sequence[Message]) -> Mapping[int, set[int]]:
    """Which gateways refused each of these messages for good."""
    found: dict[int, set[int]] = defaultdict(set)
    refusals = Attempt.objects.filter(message__in=[one.pk for one in messages], outcome=Outcome.REFUSED)
    for message_id, gateway_id in refusals.values_list("message", "gateway"):
        found[message_id].add(gateway_id)
    return found


def move_away() -> None:
    """What waits at gateways that may not be used goes to those that may; where there is none it keeps waiting.

    Called every second: it looks at messages only where one gateway may not be used and another one may.
    """
    survey = routing.Survey()
    for gateway in survey.unusable():
        if targets := survey.stand_ins_for(gateway):
            _move_from(gateway, targets, survey)


def _move_from(gateway: Gateway, targets: Sequence[Gateway], survey: routing.Survey) -> None:
    messages = list(_movable(gateway, targets, survey).order_by("priority", "due_at").defer("text")[:SOME])
    refusals = _refusals(messages) if messages else {}
    by_target: dict[Gateway, list[Message]] = {}
    for message in messages:
        if target := elsewhere(message, survey, refusals.get(message.pk, set())):
            by_target.setdefault(target, []).append(message)
    for target, moving in by_target.items():
        Message.move_waiting(moving, target)


def _movable(gateway: Gateway, targets: Sequence[Gateway], survey: routing.Survey) -> QuerySet[Message]:
    """The database leaves out what cannot move, so that it never stands in the way of what can."""
    waiting = Message.objects.filter(
        gateway=gateway,
        state__in=(State.QUEUED, State.HELD),
        due_at__isnull=False,
        valid_until__gt=timezone.now(),
        unclear=0,
        only_here=False,
    )
    if survey.default_is_strict:
        waiting = waiting.exclude(wanted=None)
    waiting = waiting.exclude(wanted__in=survey.strict())
    if all(target.prefixes for target in targets):
        prefixes = [Q(phone__startswith=prefix) for target in targets for prefix in target.prefixes]
        waiting = waiting.filter(reduce(or_, prefixes))
    return waiting
