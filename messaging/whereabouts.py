"""Where a guest's SMS is, in words for the guest: read from its row, and from its attempts where need be."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways import routing
from gateways.models import Gateway
from gateways.outcomes import Outcome
from messaging.models import CANCELLABLE, Attempt, Message, State, Wait
from portal import clock

#: For so long nobody wonders that the operator says nothing yet.
SOON = timedelta(seconds=30)


class Where(StrEnum):
    """Where a message may be, as far as whoever waits for it is concerned."""

    UNDER_WAY = "under_way"  # not handed over yet
    SENT = "sent"  # a provider has it
    ARRIVED = "arrived"
    UNCONFIRMED = "unconfirmed"  # nobody can tell whether a provider has it
    NO_WAY = "no_way"  # it waits, and no gateway is left at which it could be tried now
    FAILED = "failed"  # it will not arrive

    @property
    def came_to_nothing(self) -> bool:
        """Whether, as it stands, whoever waits for it waits in vain."""
        return self in {Where.NO_WAY, Where.FAILED}


@dataclass(frozen=True)
class Whereabouts:
    """`at` is when it was handed over, arrived or failed; the sentence is in the language of whoever asked."""

    kind: Where
    at: datetime | None
    sentence: str


KIND_OF = {
    State.CLAIMED: Where.UNDER_WAY,
    State.SUBMITTING: Where.UNDER_WAY,
    State.UNKNOWN: Where.UNCONFIRMED,
    State.UNRESOLVED: Where.UNCONFIRMED,
    State.SUBMITTED: Where.SENT,
    State.NO_RECEIPT: Where.SENT,
    State.DELIVERED: Where.ARRIVED,
    State.FAILED: Where.FAILED,
    State.UNDELIVERED: Where.FAILED,
    State.EXPIRED: Where.FAILED,
    State.LAPSED: Where.FAILED,
    State.CANCELLED: Where.FAILED,
    State.SUPPRESSED: Where.FAILED,
}
#: Of these it is certain that nothing was sent, and that nothing will be.
NEVER_SENT = (State.FAILED, State.LAPSED, State.CANCELLED, State.SUPPRESSED)

CANNOT_BE_SENT = _("SMS cannot be sent at the moment. Please try again in a few minutes.")
BEING_SENT = _("The SMS is being sent.")
SENT = _("The SMS was sent at %(time)s.")
SENT_A_WHILE_AGO = _("The SMS was sent at %(time)s; the operator has not confirmed yet that it arrived.")
ARRIVED = _("The SMS arrived at %(time)s.")
UNCONFIRMED = _("The operator has not confirmed yet that the SMS was sent. If it does not arrive, ask for another one.")
NUMBER_REFUSED = _("The SMS could not be sent to this number. Check the number.")
NOT_DELIVERED = _("The SMS could not be delivered. Check the number, and that the phone is on and has a signal.")
COULD_NOT_BE_SENT = _("The SMS could not be sent. Please try again.")


def of(message: Message) -> Whereabouts:
    """Where this message is, by the row that is given."""
    kind = _kind(message)
    at = _at(message, kind)
    time = time_format(timezone.localtime(at), "H:i") if at else ""
    return Whereabouts(kind, at, str(_sentence(message, kind)) % {"time": time})


def give_up(message: Message) -> bool:
    """Takes the message back for good; true where nothing of it was sent and nothing ever will be.

    False where a worker has it at this moment, where it was handed over, and where that is unclear.
    """
    now = Message.objects.get(pk=message.pk)
    return now.state in NEVER_SENT or (now.state in CANCELLABLE and not now.unclear and now.cancel(None))


def taken_by_nobody() -> QuerySet[Message]:
    """Messages that were never sent and never will be, for a reason other than the phone they were for."""
    refused = Attempt.objects.filter(message=OuterRef("pk"), outcome=Outcome.REFUSED)
    ended = Message.objects.filter(state__in=(State.CANCELLED, State.LAPSED, State.FAILED))
    return ended.exclude(Q(state=State.FAILED) & Exists(refused))


def _kind(message: Message) -> Where:
    if message.state in CANCELLABLE:
        return Where.UNDER_WAY if _has_a_way(message) else Where.NO_WAY
    kind = KIND_OF[State(message.state)]
    return Where.UNCONFIRMED if kind is Where.UNDER_WAY and message.unclear else kind


def _has_a_way(message: Message) -> bool:
    """Whether some gateway that may be used now has not failed it yet."""
    here = Gateway.objects.select_related("health").get(pk=message.gateway_id)
    tried = set(Attempt.objects.filter(message=message).values_list("gateway", flat=True))
    if message.failures and not tried:
        # No request could be built for it here.
        tried = {here.pk}
    if routing.may_be_used(here) and routing.serves(here, message.phone):
        # What waits for nothing is tried again at once: its gateway's token had ended, or its settings were changed.
        is_next = message.waits_for == Wait.NONE and message.due_at is not None and message.due_at <= clock.now()
        if is_next or here.pk not in tried:
            return True
    if message.only_here:
        return False
    return bool(routing.Survey().instead(message.phone, message.wanted_id, here.pk, tried))


def _at(message: Message, kind: Where) -> datetime | None:
    match kind:
        case Where.SENT:
            return message.submitted_at or message.finished_at
        case Where.ARRIVED | Where.FAILED:
            return message.finished_at
    return None


def _sentence(message: Message, kind: Where) -> str | Promise:
    match kind:
        case Where.UNDER_WAY:
            return BEING_SENT
        case Where.SENT:
            return SENT_A_WHILE_AGO if _is_awaited(message) else SENT
        case Where.ARRIVED:
            return ARRIVED
        case Where.UNCONFIRMED:
            return UNCONFIRMED
        case Where.NO_WAY:
            return CANNOT_BE_SENT
        case Where.FAILED:
            return _why_failed(message)


def _is_awaited(message: Message) -> bool:
    """Whether a receipt could have come by now, and may still come."""
    handed_over = message.submitted_at
    return message.state == State.SUBMITTED and handed_over is not None and handed_over < clock.now() - SOON


def _why_failed(message: Message) -> str | Promise:
    if message.state in {State.UNDELIVERED, State.EXPIRED}:
        return NOT_DELIVERED
    if message.state != State.FAILED:
        return COULD_NOT_BE_SENT
    last = Attempt.objects.filter(message=message).order_by("pk").values_list("outcome", flat=True).last()
    return NUMBER_REFUSED if last == Outcome.REFUSED else COULD_NOT_BE_SENT
