"""What providers report of messages they took: asked for or called in, early, late or twice, one final state.

A receipt for a reference nobody knows yet is kept and matched when the attempt that made it is written down.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from gateways import transport
from gateways.models import Gateway
from gateways.provider import Receipt, ReceiptState
from messaging import retries
from messaging.models import Attempt, DeliveryEvent, Message, State

logger = logging.getLogger(__name__)

#: A worker that asked and died is followed by another after this long.
TURN = timedelta(seconds=150)


def gateways_to_ask() -> list[int]:
    """Gateways with messages whose turn to be asked about has come."""
    due = Message.objects.filter(ask_at__lte=timezone.now(), gateway__enabled=True)
    return list(due.order_by().values_list("gateway", flat=True).distinct())


def take_turn(gateway: Gateway, state: State, most: int) -> list[Message]:
    """Messages in this state to ask about now; no other worker asks about them for a while."""
    now = timezone.now()
    due = Message.objects.filter(gateway=gateway, state=state, ask_at__lte=now)
    if not due.exists():
        return []
    with transaction.atomic():
        taken = list(due.select_for_update(skip_locked=True).order_by("ask_at")[:most])
        Message.objects.filter(pk__in=[message.pk for message in taken]).update(ask_at=now + TURN)
    return taken


def ask(gateway_id: int) -> None:
    """Asks a gateway about messages it took; where it has no news, later again, more and more seldom."""
    gateway = Gateway.objects.get(pk=gateway_id)
    provider = gateway.abilities()
    taken = take_turn(gateway, State.SUBMITTED, provider.query_batch)
    if not taken:
        return
    try:
        request = provider.query([message.reference for message in taken])
        reported = provider.read_query(transport.fetch(request, gateway.timeout))
    except Exception as error:  # noqa: BLE001 — whatever went wrong, we know no more than before
        logger.warning("gateway %s: no receipts (%s)", gateway_id, type(error).__name__)
        reported = []
    record(gateway, reported)
    news = {receipt.reference for receipt in reported if receipt.state != ReceiptState.PENDING}
    for message in taken:
        if message.reference not in news:
            message.ask_again()


@transaction.atomic
def record(gateway: Gateway, reported: Sequence[Receipt]) -> None:
    """Keeps each receipt as it came and lets it improve what we know; in any order, as often as it comes."""
    for receipt in reported:
        if receipt.state == ReceiptState.PENDING:
            continue
        message = _message_of(gateway.pk, receipt.reference)
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


def _message_of(gateway_id: int, reference: str) -> Message | None:
    if not reference:
        return None
    attempt = (
        Attempt.objects.filter(gateway=gateway_id, reference=reference)
        .select_related("message")
        .order_by("-id")
        .first()
    )
    return attempt.message if attempt else None


def match_early_ones(gateway_id: int, references: Sequence[str]) -> None:
    """Receipts that came before our own commit of their reference find their message now."""
    early = DeliveryEvent.objects.filter(
        gateway=gateway_id, reference__in=[reference for reference in references if reference]
    ).order_by("id")
    for event in early:
        message = _message_of(gateway_id, event.reference)
        if message and message.record_receipt(ReceiptState(event.state), event.detail):
            DeliveryEvent.objects.filter(pk=event.pk).update(message=message)


def end_waiting(now: datetime) -> None:
    """After NO_RECEIPT_AFTER no receipt is expected any more: handed over is all anybody knows."""
    silent = Message.objects.filter(state=State.SUBMITTED, submitted_at__lte=now - retries.NO_RECEIPT_AFTER)
    for message in silent[:1000]:
        message.give_up_waiting()
