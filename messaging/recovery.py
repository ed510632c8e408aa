"""Mending: what dead workers held, what is overdue, what is unclear, and texts that nobody may send any more."""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gateways import transport
from gateways.models import Gateway
from gateways.provider import Accepted, BaseProvider, Outcome
from messaging import delivery, receipts, retries
from messaging.models import LEASED, WAITING, Attempt, Message, State

logger = logging.getLogger(__name__)

#: How many rows one sweep mends of each kind.
SOME = 1000


def recover() -> None:
    """Frees what dead workers held and ends what is overdue. Reads first: where all is well nothing is written."""
    now = timezone.now()
    for message in Message.objects.filter(state__in=LEASED, lease_until__lte=now).select_related("gateway")[:SOME]:
        _recover_one(message)
    for message in Message.objects.filter(state__in=WAITING, due_at__isnull=False, valid_until__lte=now)[:SOME]:
        message.lapse()
    for message in Message.objects.filter(state=State.UNKNOWN, created__lte=now - retries.NO_RECEIPT_AFTER)[:SOME]:
        message.lapse()
    receipts.end_waiting(now)
    wipe_texts(now)


def _recover_one(message: Message) -> None:
    """A claimed message never left; one being handed over may have, and nobody is left to say."""
    if message.state == State.CLAIMED:
        message.release()
        return
    reason = "the worker stopped before the answer came"
    with transaction.atomic():
        if delivery.mark_unclear(message, message.gateway.abilities(), reason):
            Attempt.objects.filter(message=message, outcome="").update(
                outcome=Outcome.AMBIGUOUS, detail=reason, finished_at=timezone.now()
            )


def wipe_texts(now: datetime) -> None:
    """A text that may not be sent any more is wiped, whatever became of its message."""
    kept = Message.objects.filter(text__isnull=False).exclude(state__in=(State.QUEUED, State.HELD, *LEASED))
    kept = kept.filter(Q(valid_until__lte=now) | Q(created__lte=now - retries.LONGEST_KEPT_TEXT))
    if kept.exists():
        kept.update(text=None)


def look_up(gateway_id: int) -> None:
    """Asks the provider whether it has the messages whose outcome is unclear, once the settle window is over."""
    gateway = Gateway.objects.get(pk=gateway_id)
    provider = gateway.abilities()
    unclear = receipts.take_turn(gateway, State.UNKNOWN, provider.query_batch)
    if not unclear:
        return
    try:
        request = provider.look_up([message.key for message in unclear])
        found = provider.read_look_up(transport.fetch(request, gateway.timeout))
    except Exception as error:  # noqa: BLE001 — whatever went wrong, we know no more than before
        logger.warning("gateway %s: the look-up failed (%s)", gateway_id, type(error).__name__)
        found = {}
    with transaction.atomic():
        for message in unclear:
            _clear_up(message, provider, found)


def _clear_up(message: Message, provider: BaseProvider, found: Mapping[str, Accepted | None]) -> None:
    """Found: it was sent. Proven absent: it is sent as if nothing had happened. Neither: ask again later."""
    if message.key not in found:
        message.ask_again()
        return
    accepted = found[message.key]
    if accepted is None:
        message.mark_absent()
        return
    message.mark_submitted(accepted.reference, expects_receipt=provider.sends_receipts, may_ask=provider.can_query)
    Attempt.objects.filter(message=message, reference="", outcome=Outcome.AMBIGUOUS).update(
        reference=accepted.reference
    )
