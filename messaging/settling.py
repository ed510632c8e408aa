"""Writing down what came back: one answer, one outcome, one change of state; and what it says of the gateway.

What an answer means is read in `answers`, when to try again is the business of `retries`, and what state may follow
what is that of `Message`.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from gateways import health, pace, sessions
from gateways.models import Gateway
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    GatewayFault,
    NotAccepted,
    NotSent,
    Refused,
    RefusedForNow,
)
from gateways.provider import BaseProvider
from gateways.sessions import AccessEnded
from gateways.transport import Landing
from messaging import answers, digests, failover, receipts, retries, ringing
from messaging.answers import Landed, Understood
from messaging.models import Attempt, Message, State, Taken
from messaging.retries import Kind
from portal import clock, counting
from portal.bulk.updating import update_each
from portal.faults import Point, reach

logger = logging.getLogger(__name__)

#: The database is away or busy: nothing is wrong with what was to be written.
DATABASE_AWAY = (OperationalError, InterfaceError)


def settle(landed: Sequence[Landed]) -> None:
    """Writes down a batch of answers of one gateway in one transaction; a dead lease's stay unwritten.

    An answer that cannot be written does not take the others along. Raises DATABASE_AWAY.
    """
    if not landed:
        return
    gateway = landed[0][1].gateway
    provider = gateway.abilities()
    known = [_understood(provider, *one) for one in landed]
    try:
        _write(provider, known)
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — whichever it is, it must be found
        logger.warning("a batch of answers is written down one by one (%s)", type(error).__name__)
        for one in known:
            _write_alone(provider, one)
    _tell_health(gateway, provider, known)


def _understood(provider: BaseProvider, message: Message, attempt: Attempt, landing: Landing) -> Understood:
    try:
        return answers.understand(provider, message, attempt, landing)
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
        reason = f"the answer cannot be understood ({type(error).__name__})"
        logger.error("message %s: %s", message.pk, reason)  # noqa: TRY400 — a trace may hold its text
        return Understood(message, attempt, Ambiguous(reason), {})


def _write_alone(provider: BaseProvider, one: Understood) -> None:
    try:
        _write(provider, [one])
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — its lease will end, and then it is unclear
        logger.error("message %s: its answer cannot be written (%s)", one.message.pk, type(error).__name__)  # noqa: TRY400 — a trace may hold the text


def _write(provider: BaseProvider, known: Sequence[Understood]) -> None:
    gateway = known[0].attempt.gateway
    # Copies, because whatever is tried again must begin from what the database has, not from what was rolled back; and
    # in one order everywhere, so that two workers never hold what the other waits for.
    known = [replace(one, message=one.message.twin()) for one in sorted(known, key=lambda one: one.message.pk)]
    counted_before = {one.message.pk for one in known if one.message.unclear}
    with transaction.atomic():
        written = _note_taken(known, provider) + _note_not_taken(known, provider)
        _close(written, provider)
        unsent = Counter(
            timezone.localdate(one.attempt.started_at) for one in written if not _counts(one, counted_before)
        )
        for day, count in unsent.items():
            pace.uncount(gateway.pk, count, day)
        receipts.match_early_ones(gateway, [answers.reported_as(one, provider) for one in known])
        transaction.on_commit(partial(_count, gateway.pk, written))
        transaction.on_commit(partial(_ring_elsewhere, gateway.pk, written))
    reach(Point.SETTLED)


def _count(gateway_id: int, written: Sequence[Understood]) -> None:
    for outcome, number in Counter(answers.class_of(one.outcome) for one in written).items():
        counting.add("attempts", number, gateway=gateway_id, outcome=outcome)


def _ring_elsewhere(gateway_id: int, written: Sequence[Understood]) -> None:
    """What goes through another gateway at once need not wait for the sweep to ring there."""
    now = clock.now()
    moved = [one.message for one in written if one.message.gateway_id != gateway_id]
    for other_id in {message.gateway_id for message in moved if message.due_at and message.due_at <= now}:
        ringing.ring_soon(other_id)


def _counts(one: Understood, counted_before: Collection[int]) -> bool:
    """Whether this attempt counts towards the daily limit: it may have sent the message, and none before it did."""
    return isinstance(one.outcome, Accepted | Ambiguous) and one.message.pk not in counted_before


def _note_taken(known: Sequence[Understood], provider: BaseProvider) -> list[Understood]:
    """Those that the provider took, all at once; without those that are no longer this worker's."""
    taken = {one.message.pk: one for one in known if isinstance(one.outcome, Accepted)}
    moved = Message.mark_all_submitted(
        [(one.message, _said(one, provider)) for one in taken.values()],
        expects_receipt=provider.sends_receipts,
        may_ask=provider.can_query,
    )
    return [taken[message.pk] for message in moved]


def _said(one: Understood, provider: BaseProvider) -> Taken:
    assert isinstance(one.outcome, Accepted)  # noqa: S101 — the others were not taken
    code = one.outcome.code
    return Taken(
        answers.reference_of(one.outcome, provider, one.message), digests.digest(one.message.key, code) if code else ""
    )


def _note_not_taken(known: Sequence[Understood], provider: BaseProvider) -> list[Understood]:
    """The others, one by one: one outcome, one change of state; without those that are no longer this worker's."""
    ways = failover.Ways()
    return [
        one
        for one in known
        if isinstance(one.outcome, NotAccepted) and _move_on(one.message, one, one.outcome, provider, ways)
    ]


def _move_on(
    message: Message, one: Understood, outcome: NotAccepted, provider: BaseProvider, ways: failover.Ways
) -> bool:
    if isinstance(outcome, Ambiguous):
        return mark_unclear(message, provider, outcome.reason)
    return _nothing_sent(one, outcome, provider, ways)


def _nothing_sent(one: Understood, outcome: NotAccepted, provider: BaseProvider, ways: failover.Ways) -> bool:
    """The message was not taken, for certain: again, elsewhere, later, or never."""
    message = one.message
    match outcome:
        case AccessEnded():
            return message.try_at_once(outcome.reason)
        case GatewayFault():
            if not health.record_fault(message.gateway_id, outcome, *_asked(one.attempt)):
                # It speaks of settings that are changed by now.
                return message.try_at_once(outcome.reason)
            other = ways.elsewhere(message)
            return message.try_at_once(outcome.reason, elsewhere=other) if other else message.hold(outcome.reason)
        case Refused() if not former_of(message, provider):
            return failover.give_up_here(message, outcome, ways)
        case Refused():
            # Only the repeat by reference was refused: the message itself goes next.
            return message.postpone(outcome.reason, timedelta())
        case _:
            pause = outcome.retry_after if isinstance(outcome, RefusedForNow) else 0.0
            other = ways.elsewhere(message)
            delay = retries.backoff(message.kind, message.failures)
            # Another gateway did not ask us to wait, unless it has been tried before.
            if other is None or failover.was_tried(message, other):
                delay = max(delay, timedelta(seconds=pause))
            elif message.kind == Kind.CODE:
                # Somebody looks at a page until it comes.
                delay = timedelta()
            return message.postpone(outcome.reason, delay, elsewhere=other)


def _asked(attempt: Attempt) -> tuple[datetime | None, Gateway]:
    """With which settings the provider was asked: those that were read before the attempt."""
    return health.settings_as_read(attempt.gateway), attempt.gateway


def former_of(message: Message, provider: BaseProvider) -> str:
    """What its provider calls the unsuccessful message that this one repeats, where it can repeat it by that alone.

    For the first try only, and through the same gateway.
    """
    if not provider.takes_former or message.resend_of_id is None or message.failures or message.unclear:
        return ""
    ends = (State.UNDELIVERED, State.EXPIRED)
    former = Message.objects.filter(pk=message.resend_of_id, gateway=message.gateway_id, state__in=ends)
    return former.values_list("reference", flat=True).first() or ""


def mark_unclear(message: Message, provider: BaseProvider, reason: str) -> bool:
    """Nobody knows; what the provider can do decides how it is cleared up."""
    plan = retries.clear_up(
        message.kind, message.unclear + 1, dedupe_key=provider.dedupe_key, can_look_up=provider.can_look_up
    )
    return message.mark_unclear(reason, plan, settle=timedelta(seconds=provider.settle_window))


def _close(written: Sequence[Understood], provider: BaseProvider) -> None:
    """Their attempts get an outcome, all in one statement."""
    ordered = sorted(written, key=lambda one: one.attempt.pk)
    references = [answers.reference_on_record(one, provider) for one in ordered]
    outcomes = [one.outcome for one in ordered]
    update_each(
        Attempt,
        [one.attempt.pk for one in ordered],
        each={
            "outcome": [answers.class_of(outcome) for outcome in outcomes],
            "reference": [reference for reference, _key in references],
            "reference_key": [key for _reference, key in references],
            "detail": [one.detail if isinstance(one, Accepted) else one.reason for one in outcomes],
            "exchange": [one.exchange for one in ordered],
        },
        all_to={"finished_at": clock.now()},
    )


def _tell_health(gateway: Gateway, provider: BaseProvider, known: Sequence[Understood]) -> None:
    """A provider that answers about a message, even by refusing it, is well; a fault was told already."""
    outcomes = [one.outcome for one in known]
    if any(isinstance(outcome, GatewayFault) for outcome in outcomes):
        return
    answered = [one.attempt for one in known if isinstance(one.outcome, Accepted | Refused)]
    worrying = [outcome for outcome in outcomes if not isinstance(outcome, Accepted | Refused | AccessEnded)]
    silent = [one for one in known if isinstance(one.outcome, NotSent | Ambiguous)]
    if answered:
        latest = max(answered, key=lambda attempt: attempt.started_at)
        health.record_success(gateway.pk, *_asked(latest))
        if provider.way.logs_in:
            sessions.worked(gateway.pk)
    if silent and not answered:
        # One dead number does not speak for the gateway: each message counts once, however often it is tried.
        first_time = [one for one in silent if not one.message.failures + one.message.unclear]
        health.record_trouble(gateway.pk, len(first_time), worrying[-1].reason)
    elif worrying:
        health.record_error(gateway.pk, worrying[-1].reason)
