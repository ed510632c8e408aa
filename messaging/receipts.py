"""What providers report of messages they took: asked for or called in, early, late or twice, one final state.

A receipt for a reference nobody knows yet is kept and matched when the attempt that made it is written down.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from gateways import transport
from gateways.models import Gateway
from gateways.outcomes import Receipt, ReceiptState
from messaging import retries
from messaging.models import Attempt, DeliveryEvent, Message, State

logger = logging.getLogger(__name__)

#: A receipt that found no message within this time was meant for somebody else.
ORPHAN_AGE = timedelta(hours=1)
#: How many orphans one sweep looks at.
SOME = 1000


def gateways_to_ask() -> list[int]:
    """Gateways with messages whose turn to be asked about has come."""
    due = Message.objects.filter(ask_at__lte=timezone.now(), gateway__enabled=True)
    return list(due.order_by().values_list("gateway", flat=True).distinct())


def take_turn(gateway: Gateway, state: State, most: int) -> list[Message]:
    """Messages in this state to ask about now; if this worker dies asking, another does when the call must be over."""
    now = timezone.now()
    due = Message.objects.filter(gateway=gateway, state=state, ask_at__lte=now)
    if not due.exists():
        return []
    turn = timedelta(seconds=gateway.timeout) + retries.LEASE_MARGIN
    with transaction.atomic():
        taken = list(due.select_for_update(skip_locked=True).order_by("ask_at")[:most])
        Message.objects.filter(pk__in=[message.pk for message in taken]).update(ask_at=now + turn)
    return taken


def ask(gateway_id: int) -> bool:
    """Asks a gateway about messages it took; where it has no news, later again, more and more seldom.

    True where there may be more to ask about.
    """
    gateway = Gateway.objects.get(pk=gateway_id)
    provider = gateway.abilities()
    taken = take_turn(gateway, State.SUBMITTED, provider.query_batch)
    if not taken:
        return False
    try:
        request = provider.query([message.as_sent() for message in taken])
        reported = provider.read_query(transport.fetch(request, gateway.timeout))
    except Exception as error:  # noqa: BLE001 — whatever went wrong, we know no more than before
        logger.warning("gateway %s: no receipts (%s)", gateway_id, type(error).__name__)
        reported = []
    news = {receipt.reference for receipt in reported if receipt.state != ReceiptState.PENDING}
    with transaction.atomic():
        record(gateway, reported)
        for message in taken:
            if message.reference not in news:
                message.ask_again()
    return bool(reported) and len(taken) == provider.query_batch


@transaction.atomic
def record(gateway: Gateway, reported: Sequence[Receipt]) -> None:
    """Keeps each receipt as it came and lets it improve what we know; in any order, as often as it comes."""
    news = [receipt for receipt in reported if receipt.state != ReceiptState.PENDING]
    messages = _messages_of(gateway.pk, [receipt.reference for receipt in news])
    # In one order everywhere, so that two workers never hold what the other waits for.
    for receipt in sorted(news, key=lambda receipt: _pk(messages.get(receipt.reference))):
        message = messages.get(receipt.reference)
        DeliveryEvent.objects.create(
            gateway=gateway,
            message=message,
            reference=receipt.reference,
            state=receipt.state,
            detail=receipt.detail,
            at=receipt.at,
        )
        if message:
            message.record_receipt(receipt.state, receipt.detail)


def _pk(message: Message | None) -> int:
    return message.pk if message else 0


def _messages_of(gateway_id: int, references: Sequence[str]) -> dict[str, Message]:
    """Whose references these are; where a provider used one twice, the later message's."""
    attempts = Attempt.objects.filter(
        gateway=gateway_id, reference__in=[reference for reference in references if reference]
    )
    return {attempt.reference: attempt.message for attempt in attempts.select_related("message").order_by("id")}


def match_early_ones(gateway_id: int, references: Sequence[str]) -> None:
    """Receipts that came before our own commit of their reference find their message now."""
    messages = _messages_of(gateway_id, references)
    since = timezone.now() - ORPHAN_AGE
    ours = Q(message=None, received_at__gte=since) | Q(message__in=messages.values())
    early = DeliveryEvent.objects.filter(ours, gateway=gateway_id, reference__in=list(messages))
    _match(early, messages)


def match_orphans(now: datetime) -> None:
    """What `match_early_ones` could not see yet, because both sides committed at the same moment."""
    ours = Attempt.objects.filter(gateway=OuterRef("gateway"), reference=OuterRef("reference"))
    orphans = DeliveryEvent.objects.filter(Exists(ours), message=None, received_at__gte=now - ORPHAN_AGE)
    for gateway_id in list(orphans.order_by().values_list("gateway", flat=True).distinct()):
        found = list(orphans.filter(gateway=gateway_id).order_by("id")[:SOME])
        _match(found, _messages_of(gateway_id, [event.reference for event in found]))


def _match(events: Iterable[DeliveryEvent], messages: Mapping[str, Message]) -> None:
    for event in sorted(events, key=lambda event: (messages[event.reference].pk, event.pk)):
        message = messages[event.reference]
        if event.message_id not in {None, message.pk}:
            continue
        message.record_receipt(ReceiptState(event.state), event.detail)
        if event.message_id is None:
            DeliveryEvent.objects.filter(pk=event.pk).update(message=message)
