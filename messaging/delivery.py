"""From the queue to the provider: claim what is due, put the attempt on record, hand over, write down what came back.

No transaction and no idle connection is held while providers think. What an answer means is the provider's file's
business, when to try again is that of `retries`, and what state may follow what is that of `Message`.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from gateways import health, pace, transport
from gateways.models import Gateway
from gateways.provider import (
    Accepted,
    Ambiguous,
    BaseProvider,
    GatewayFault,
    HttpRequest,
    HttpResponse,
    NotAccepted,
    OutboundSms,
    Outcome,
    Refused,
    RefusedForNow,
    read_outcome,
)
from messaging import receipts, retries
from messaging.drains import drains
from messaging.models import LEASED, WAITING, Attempt, Message, State
from portal.encryption import KeyMissing, unlocked

logger = logging.getLogger(__name__)

#: How many messages one claim takes at the most.
BATCH = 100
#: How long a drain waits for answers before it looks for more to send; it hears the bell within a GLANCE.
PATIENCE = 1.0
GLANCE = 0.05
#: How much of a provider's answer is kept for the operator.
KEPT_ANSWER = 2000

Submission = tuple[Message, Attempt]


def drain(gateway_id: int) -> None:
    """Hands over everything that is due at a gateway, until nothing is left; one drain per gateway and process."""
    if not drains.begin(gateway_id):
        return
    try:
        while True:
            _drain_once(gateway_id)
            if drains.finished(gateway_id):
                return
    except BaseException:
        drains.abandon(gateway_id)
        raise


def _drain_once(gateway_id: int) -> None:
    flight = transport.Flight()
    submissions: dict[int, Submission] = {}
    while True:
        drains.heard(gateway_id)
        gateway = Gateway.objects.filter(pk=gateway_id, enabled=True).first()
        claimed, next_in = claim(gateway) if gateway and not drains.stopping else ([], 0.0)
        if gateway and claimed:
            started = begin(gateway, claimed)
            submissions |= {attempt.pk: (message, attempt) for message, attempt, _ in started}
            flight.launch([_call(gateway, attempt, request) for _, attempt, request in started])
        if flight.in_air:
            landings = _wait_for_landings(flight, gateway_id, next_in, more=len(claimed) == BATCH)
            settle([(*submissions.pop(landing.ticket), landing) for landing in landings])
        elif next_in:
            time.sleep(next_in)
        elif not claimed:
            return


def _wait_for_landings(
    flight: transport.Flight, gateway_id: int, next_in: float, *, more: bool
) -> list[transport.Landing]:
    """What landed; comes back empty-handed when there is something to claim or the bell rings."""
    if more:
        return flight.landed(0)
    until = time.monotonic() + (next_in or PATIENCE)
    while time.monotonic() < until:
        landings = flight.landed(GLANCE)
        if landings or drains.heard(gateway_id):
            return landings
    if not connection.in_atomic_block:
        # Providers think; the database need not wait with us.
        connection.close()
    return []


def _call(gateway: Gateway, attempt: Attempt, request: HttpRequest) -> transport.Call:
    return transport.Call(
        ticket=attempt.pk,
        request=request,
        timeout=gateway.timeout,
        # The whole call must be over before the lease is, so that no other worker takes over while it runs.
        not_after=attempt.started_at + retries.LEASE_MARGIN / 2,
    )


# Claiming


def claim(gateway: Gateway) -> tuple[list[Message], float]:
    """Takes the due messages this gateway may send now, under a lease; and says in how many seconds more may go.

    Messages of a higher priority first, then the longest due. Two workers never get the same message: the rows are
    locked where the database can, writers are serial where it cannot, and the epoch fences off latecomers.
    """
    due = _due(gateway)
    if not due.exists():
        return [], 0.0
    with transaction.atomic():
        allowed, next_in = pace.take(gateway, BATCH)
        room = min(allowed, health.limit(gateway) - _in_flight(gateway))
        rows = list(due.select_for_update(skip_locked=True).order_by("priority", "due_at")[: max(room, 0)])
        pace.give_back(gateway.pk, allowed - len(rows))
        lease_until = timezone.now() + timedelta(seconds=gateway.timeout) + retries.LEASE_MARGIN
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.CLAIMED, epoch=F("epoch") + 1, lease_until=lease_until, waits_for="", ask_at=None
        )
    for row in rows:
        row.state, row.epoch, row.lease_until = State.CLAIMED, row.epoch + 1, lease_until
    return rows, 0.0 if rows or room < allowed else min(next_in, 1.0)


def _due(gateway: Gateway) -> QuerySet[Message]:
    now = timezone.now()
    return Message.objects.filter(gateway=gateway, state__in=WAITING, due_at__lte=now, valid_until__gt=now)


def _in_flight(gateway: Gateway) -> int:
    return Message.objects.filter(gateway=gateway, state__in=LEASED, lease_until__gt=timezone.now()).count()


def gateways_with_due() -> list[int]:
    """Gateways that may send and have something to send."""
    now = timezone.now()
    waiting = Message.objects.filter(state__in=WAITING, due_at__lte=now, valid_until__gt=now, gateway__enabled=True)
    ids = waiting.order_by().values_list("gateway", flat=True).distinct()
    return [gateway_id for gateway_id in ids if not health.paused_until(gateway_id)]


def older_one_waits(message_id: int, gateway_id: int) -> bool:
    """Whether an earlier message at this gateway is due and not yet taken, so that its bell serves this one too."""
    return Message.objects.filter(
        gateway=gateway_id, state=State.QUEUED, due_at__lte=timezone.now(), pk__lt=message_id
    ).exists()


# Handing over


def begin(gateway: Gateway, messages: list[Message]) -> list[tuple[Message, Attempt, HttpRequest]]:
    """Builds each request and puts each attempt on record; only what this returns may leave."""
    built = [(message, request) for message in messages if (request := _build(gateway, message))]
    with transaction.atomic():
        now = timezone.now()
        ready = [(message, request) for message, request in built if message.mark_submitting(now)]
        attempts = Attempt.objects.bulk_create(
            Attempt(message=message, gateway=gateway, epoch=message.epoch, key=message.key, started_at=now)
            for message, _ in ready
        )
    return [(message, attempt, request) for (message, request), attempt in zip(ready, attempts, strict=True)]


def _build(gateway: Gateway, message: Message) -> HttpRequest | None:
    """The provider's request; where none can be built the gateway is at fault and the message waits."""
    try:
        return gateway.open().submit(
            OutboundSms(
                key=message.key,
                phone=message.phone,
                text=unlocked(message.text),
                sender=gateway.sender,
                valid_until=message.valid_until,
            )
        )
    except Exception as error:
        reason = str(error) if isinstance(error, KeyMissing) else f"no request can be built ({type(error).__name__})"
        logger.exception("gateway %s: message %s: no request can be built", gateway.pk, message.pk)
        health.record_fault(gateway.pk, reason)
        message.hold(reason)
        return None


# Writing down what came back


def settle(landed: Sequence[tuple[Message, Attempt, transport.Landing]]) -> None:
    """Writes down a batch of answers in one transaction; what a dead lease left unwritten stays unwritten."""
    if not landed:
        return
    gateway = landed[0][1].gateway
    provider = gateway.abilities()
    known = [(message, attempt, landing, _outcome(provider, landing)) for message, attempt, landing in landed]
    with transaction.atomic():
        for message, attempt, landing, outcome in known:
            if _move_on(message, provider, outcome):
                _close(attempt, provider, outcome, landing.response)
    _tell_health(gateway.pk, [outcome for *_, outcome in known])
    receipts.match_early_ones(gateway.pk, [outcome.reference for *_, outcome in known if isinstance(outcome, Accepted)])


def _outcome(provider: BaseProvider, landing: transport.Landing) -> Accepted | NotAccepted:
    if landing.response is not None:
        return read_outcome(provider, landing.response)
    return landing.failure or Ambiguous("nothing is known of the call")


def _move_on(message: Message, provider: BaseProvider, outcome: Accepted | NotAccepted) -> bool:
    """One outcome, one change of state; false where the message is no longer this worker's."""
    match outcome:
        case Accepted():
            return message.mark_submitted(
                outcome.reference, expects_receipt=provider.sends_receipts, may_ask=provider.can_query
            )
        case Refused():
            return message.fail(outcome.reason)
        case GatewayFault():
            health.record_fault(message.gateway_id, outcome.reason)
            return message.hold(outcome.reason)
        case Ambiguous():
            return mark_unclear(message, provider, outcome.reason)
        case RefusedForNow():
            backoff = retries.backoff(message.kind, message.failures)
            return message.postpone(outcome.reason, max(backoff, timedelta(seconds=outcome.retry_after)))
        case _:
            return message.postpone(outcome.reason, retries.backoff(message.kind, message.failures))


def mark_unclear(message: Message, provider: BaseProvider, reason: str) -> bool:
    """Nobody knows; what the provider can do decides how it is cleared up."""
    plan = retries.clear_up(
        message.kind, message.unclear + 1, dedupe_key=provider.dedupe_key, can_look_up=provider.can_look_up
    )
    return message.mark_unclear(reason, plan, settle=timedelta(seconds=provider.settle_window))


def _close(
    attempt: Attempt, provider: BaseProvider, outcome: Accepted | NotAccepted, response: HttpResponse | None
) -> None:
    found = (
        {"outcome": Outcome.ACCEPTED, "reference": outcome.reference, "detail": outcome.detail}
        if isinstance(outcome, Accepted)
        else {"outcome": outcome.outcome, "detail": outcome.reason}
    )
    Attempt.objects.filter(pk=attempt.pk).update(
        finished_at=timezone.now(), exchange=_exchange(provider, response), **found
    )


def _exchange(provider: BaseProvider, response: HttpResponse | None) -> dict[str, object]:
    """The provider's answer as it may be kept; its request holds the text and is not."""
    if response is None:
        return {}
    body = response.body[:KEPT_ANSWER].decode("utf-8", errors="replace").replace("\x00", "")
    return {"status": response.status, "body": provider.redact(body)}


def _tell_health(gateway_id: int, outcomes: Sequence[Accepted | NotAccepted]) -> None:
    """A provider that answers about a message, even by refusing it, is well."""
    if any(isinstance(outcome, GatewayFault) for outcome in outcomes):
        return
    if any(isinstance(outcome, Accepted | Refused) for outcome in outcomes):
        health.record_success(gateway_id)
    worrying = [outcome for outcome in outcomes if not isinstance(outcome, Accepted | Refused)]
    if worrying:
        health.record_error(gateway_id, worrying[-1].reason)
