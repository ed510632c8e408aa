"""What providers report of messages they took: asked for or called in, early, late or twice, one final state.

A receipt for a reference nobody knows yet is kept and matched when the attempt that made it is written down.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef

from gateways import questions
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway
from gateways.outcomes import Receipt, ReceiptState, SentSms
from gateways.provider import BaseProvider
from messaging import retries
from messaging.models import Attempt, DeliveryEvent, Message, State
from portal import clock

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: A receipt that found no message within this time was meant for somebody else.
ORPHAN_AGE = timedelta(hours=1)
#: How many orphans one sweep looks at.
SOME = 1000


def gateways_to_ask() -> list[int]:
    """Gateways with messages whose turn to be asked about has come; not those whose credentials are refused."""
    due = Message.objects.filter(ask_at__lte=clock.now(), gateway__enabled=True)
    due = due.exclude(gateway__health__refused_at__isnull=False)
    return list(due.order_by().values_list("gateway", flat=True).distinct())


def take_turn(gateway: Gateway, state: State) -> list[Message]:
    """Messages in this state to ask about now, as many as one question may hold.

    If this worker dies asking, another does when the call must be over.
    """
    now = clock.now()
    due = Message.objects.filter(gateway=gateway, state=state, ask_at__lte=now)
    if not due.exists():
        return []
    turn = timedelta(seconds=gateway.timeout) + retries.LEASE_MARGIN
    with transaction.atomic():
        taken = list(due.select_for_update(skip_locked=True).order_by("ask_at")[: gateway.abilities().query_batch])
        Message.objects.filter(pk__in=[message.pk for message in taken]).update(ask_at=now + turn)
    return taken


def ask(gateway_id: int) -> bool:
    """Asks a gateway about messages it took; where it has no news, later again, more and more seldom.

    True where there may be more to ask about.
    """
    gateway = Gateway.objects.get(pk=gateway_id)
    taken = take_turn(gateway, State.SUBMITTED)
    asked = [message.as_sent() for message in taken]
    reported = asked_for(
        gateway, asked, lambda provider: provider.query(asked), lambda provider, found: provider.read_query(found)
    )
    known = record(gateway, reported or [])
    # Not in one transaction with the receipts, and in one order everywhere: a provider may be calling us as well.
    with transaction.atomic():
        for message in sorted(taken, key=_pk):
            if message.pk not in known:
                message.ask_again()
    return bool(reported) and len(taken) == gateway.abilities().query_batch


def asked_for(
    gateway: Gateway,
    asked: Sequence[SentSms],
    build: Callable[[BaseProvider], HttpRequest],
    read: Callable[[BaseProvider, HttpResponse], T],
) -> T | None:
    """What the provider answers about these messages; None where it says nothing, or where there is nothing to ask."""
    if not asked:
        return None
    try:
        return questions.ask(gateway, build, read)
    except Exception as error:  # noqa: BLE001 — whatever went wrong, we know no more than before
        logger.warning("gateway %s: no answer about %s messages (%s)", gateway.pk, len(asked), type(error).__name__)
        return None


@transaction.atomic
def record(gateway: Gateway, reported: Sequence[Receipt]) -> set[int]:
    """Keeps each receipt as it came and lets it improve what we know; in any order, as often as it comes.

    Gives the ids of the messages it is news of.
    """
    canonical = gateway.abilities().canonical
    news = [(canonical(receipt.reference), receipt) for receipt in reported if receipt.state != ReceiptState.PENDING]
    messages = _messages_of(gateway.pk, [key for key, _receipt in news])
    # In one order everywhere, so that two workers never hold what the other waits for.
    for key, receipt in sorted(news, key=lambda one: _pk(messages.get(one[0]))):
        message = messages.get(key)
        DeliveryEvent.objects.create(
            gateway=gateway,
            message=message,
            reference=receipt.reference,
            reference_key=key,
            state=receipt.state,
            detail=receipt.detail,
            at=receipt.at,
        )
        if message:
            _heed(gateway.pk, message, receipt.state, receipt.detail)
    return {message.pk for message in messages.values()}


def _heed(gateway_id: int, message: Message, state: ReceiptState, detail: str) -> None:
    """Lets a receipt improve what we know. Of a gateway that the message has left, only that it arrived after all."""
    if message.gateway_id == gateway_id or state == ReceiptState.DELIVERED:
        message.record_receipt(state, detail)


def _pk(message: Message | None) -> int:
    return message.pk if message else 0


def _messages_of(gateway_id: int, keys: Sequence[str]) -> dict[str, Message]:
    """Whose references these are, as they are compared; where a provider used one twice, the later message's."""
    attempts = Attempt.objects.filter(gateway=gateway_id, reference_key__in=[key for key in keys if key])
    return {attempt.reference_key: attempt.message for attempt in attempts.select_related("message").order_by("id")}


def match_early_ones(gateway: Gateway, references: Sequence[str]) -> None:
    """Receipts that came before our own commit of their reference find their message now."""
    canonical = gateway.abilities().canonical
    keys = {key for key in map(canonical, references) if key}
    # Looked for first: nearly always there is none, and then nothing else is asked.
    early = list(DeliveryEvent.objects.filter(gateway=gateway, reference_key__in=keys)) if keys else []
    if not early:
        return
    messages = _messages_of(gateway.pk, [event.reference_key for event in early])
    since = clock.now() - ORPHAN_AGE
    ours = {message.pk for message in messages.values()}
    fresh = [
        event for event in early if event.message_id in ours or (not event.message_id and event.received_at >= since)
    ]
    _match([event for event in fresh if event.reference_key in messages], messages)


def match_orphans(now: datetime) -> None:
    """What `match_early_ones` could not see yet, because both sides committed at the same moment."""
    ours = Attempt.objects.filter(gateway=OuterRef("gateway"), reference_key=OuterRef("reference_key"))
    orphans = DeliveryEvent.objects.filter(
        Exists(ours), message=None, received_at__gte=now - ORPHAN_AGE, reference_key__gt=""
    )
    for gateway_id in list(orphans.order_by().values_list("gateway", flat=True).distinct()):
        found = list(orphans.filter(gateway=gateway_id).order_by("id")[:SOME])
        _match(found, _messages_of(gateway_id, [event.reference_key for event in found]))


def _match(events: Iterable[DeliveryEvent], messages: Mapping[str, Message]) -> None:
    for event in sorted(events, key=lambda event: (messages[event.reference_key].pk, event.pk)):
        message = messages[event.reference_key]
        if event.message_id not in {None, message.pk}:
            continue
        _heed(event.gateway_id, message, ReceiptState(event.state), event.detail)
        if event.message_id is None:
            DeliveryEvent.objects.filter(pk=event.pk).update(message=message)
