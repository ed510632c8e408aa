"""Mending: what dead workers held, what is overdue, what is unclear, and texts that nobody may send any more."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from gateways import pace
from gateways.models import Gateway
from gateways.outcomes import Accepted, Outcome
from gateways.provider import BaseProvider
from messaging import answers, receipts, retries, settling
from messaging.drains import drains, questions
from messaging.models import LEASED, Attempt, Message, State, Taken
from portal import clock

logger = logging.getLogger(__name__)

#: How many rows one sweep mends of each kind.
SOME = 1000
#: Sweeps of one process do not mend at the same time.
mending = threading.Lock()


def recover() -> None:
    """Frees what dead workers held and ends what is overdue. Reads first: where all is well nothing is written."""
    if not mending.acquire(blocking=False):
        return
    try:
        now = clock.now()
        dead = Message.objects.filter(state__in=LEASED, lease_until__lte=now).order_by("lease_until")
        for message in dead.select_related("gateway")[:SOME]:
            _recover_or_say_why(message)
        Message.lapse_overdue(now)
        Message.end_silence(now - retries.NO_RECEIPT_AFTER)
        receipts.match_orphans(now)
        wipe_texts(now)
    finally:
        mending.release()


def _recover_or_say_why(message: Message) -> None:
    """One that cannot be mended must not stop the others, and all that comes after them."""
    try:
        _recover_one(message)
    except settling.DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
        logger.error("message %s: its worker is gone, and %s", message.pk, type(error).__name__)  # noqa: TRY400 — a trace may hold the text


def _recover_one(message: Message) -> None:
    """A claimed message never left; one being handed over may have, and nobody is left to say."""
    if message.state == State.CLAIMED:
        with transaction.atomic():
            if message.release():
                # It was counted when it was claimed, and will be again.
                pace.uncount(message.gateway_id, 1, pace.today())
        return
    reason = "the worker stopped before the answer came"
    with transaction.atomic():
        provider = message.gateway.abilities()
        if settling.mark_unclear(message, provider, reason):
            Attempt.objects.filter(message=message, outcome="").update(
                outcome=Outcome.AMBIGUOUS,
                detail=reason,
                finished_at=clock.now(),
                reference_key=answers.unclear_key(provider, message),
            )


def wipe_texts(now: datetime) -> None:
    """A text that may not be sent any more is wiped, whatever became of its message.

    No kind is valid for longer than LONGEST_KEPT_TEXT, so the end of validity is the bound of both.
    """
    kept = Message.objects.filter(text__isnull=False).exclude(state__in=(State.QUEUED, State.HELD, *LEASED))
    kept = kept.filter(valid_until__lte=now)
    some = kept.order_by("valid_until").values_list("pk", flat=True)
    while kept.filter(pk__in=list(some[:SOME])).update(text=None) == SOME:
        pass


def inquire(gateway_id: int) -> None:
    """Asks a gateway about everything whose turn has come: receipts, and unclear messages. One thread at a time."""
    if not questions.begin(gateway_id):
        return
    try:
        more = True
        while more and not drains.stopping:
            more = receipts.ask(gateway_id)
            more = look_up(gateway_id) or more
    finally:
        questions.abandon(gateway_id)


def look_up(gateway_id: int) -> bool:
    """Asks the provider whether it has the messages whose outcome is unclear, once the settle window is over.

    True where there may be more to ask about.
    """
    gateway = Gateway.objects.get(pk=gateway_id)
    unclear = receipts.take_turn(gateway, State.UNKNOWN)
    sought = [message.as_sent() for message in unclear]
    found = receipts.asked_for(
        gateway, sought, lambda provider: provider.look_up(sought), lambda provider, found: provider.read_look_up(found)
    )
    provider = gateway.abilities()
    with transaction.atomic():
        for message in sorted(unclear, key=lambda message: message.pk):
            _clear_up(message, provider, found or {})
    return bool(found) and len(unclear) == provider.query_batch


def _clear_up(message: Message, provider: BaseProvider, found: Mapping[str, Accepted | None]) -> None:
    """Found: it was sent. Proven absent: it is sent as if nothing had happened. Neither: ask again later."""
    if message.key not in found:
        message.ask_again()
        return
    accepted = found[message.key]
    if accepted is None:
        message.mark_absent()
        return
    reference = answers.reference_of(accepted, provider, message)
    message.mark_submitted(Taken(reference), expects_receipt=provider.sends_receipts, may_ask=provider.can_query)
    Attempt.objects.filter(message=message, reference="", outcome=Outcome.AMBIGUOUS).update(
        reference=reference, reference_key=provider.canonical(reference)
    )
    receipts.match_early_ones(message.gateway, [reference])
