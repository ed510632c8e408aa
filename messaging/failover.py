"""Messages that cannot leave through their gateway and may go through another one.

Which one is `gateways.routing`'s decision; here is which messages may move: never one with an unclear attempt, and
none that was meant for one gateway alone.
"""

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


def elsewhere(message: Message, survey: routing.Survey) -> Gateway | None:
    """The other gateway at which this message may be tried now, if there is one.

    Gateways that refused it for good are left out.
    """
    if message.unclear or message.only_here:
        return None
    refused = Attempt.objects.filter(message=message, outcome=Outcome.REFUSED).values_list("gateway", flat=True)
    return survey.instead(message.phone, message.wanted_id, message.gateway_id, set(refused))


def move_away() -> None:
    """What waits at gateways that may not be used goes to those that may; where there is none it keeps waiting."""
    waiting = Message.objects.filter(
        state__in=(State.QUEUED, State.HELD), due_at__isnull=False, valid_until__gt=timezone.now(), unclear=0
    )
    busy = set(waiting.order_by().values_list("gateway", flat=True).distinct())
    stuck = [gateway for gateway in _gateways(busy) if not routing.may_be_used(gateway)]
    if not stuck:
        return
    survey = routing.Survey()
    for gateway in stuck:
        _move_from(list(waiting.filter(gateway=gateway, only_here=False).defer("text")[:SOME]), survey)


def _gateways(ids: set[int]) -> list[Gateway]:
    return list(Gateway.objects.select_related("health").filter(pk__in=ids))


def _move_from(messages: list[Message], survey: routing.Survey) -> None:
    by_target: dict[Gateway, list[Message]] = {}
    for message in messages:
        if target := elsewhere(message, survey):
            by_target.setdefault(target, []).append(message)
    for target, moving in by_target.items():
        Message.move_waiting(moving, target)
