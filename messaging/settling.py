"""Writing down what came back: one answer, one outcome, one change of state; and what it says of the gateway.

What an answer means is the provider's file's business, when to try again is that of `retries`, and what state may
follow what is that of `Message`.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote, quote_plus

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from gateways import health
from gateways.http import HttpResponse
from gateways.outcomes import Accepted, Ambiguous, GatewayFault, NotAccepted, Outcome, Refused, RefusedForNow, storable
from gateways.provider import BaseProvider, read_outcome
from gateways.transport import Landing
from messaging import receipts, retries
from messaging.models import Attempt, Message

logger = logging.getLogger(__name__)

#: The database is away or busy: nothing is wrong with what was to be written.
DATABASE_AWAY = (OperationalError, InterfaceError)
#: How much of a provider's answer is kept for the operator.
KEPT_ANSWER = 2000
#: A shorter text is no secret, and would be found in every answer.
SHORTEST_HIDDEN = 4

Landed = tuple[Message, Attempt, Landing]


@dataclass(frozen=True)
class Known:
    """One answer as it will be written down, without the text of its message."""

    message: Message
    attempt: Attempt
    outcome: Accepted | NotAccepted
    exchange: dict[str, object]


def settle(landed: Sequence[Landed]) -> None:
    """Writes down a batch of answers of one gateway in one transaction; a dead lease's stay unwritten.

    An answer that cannot be written does not take the others along. Raises DATABASE_AWAY.
    """
    if not landed:
        return
    provider = landed[0][1].gateway.abilities()
    known = [_understand(provider, *one) for one in landed]
    try:
        _write(provider, known)
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — whichever it is, it must be found
        logger.warning("a batch of answers is written down one by one (%s)", type(error).__name__)
        for one in known:
            _write_alone(provider, one)
    _tell_health(landed[0][1].gateway_id, [one.outcome for one in known])


def _write_alone(provider: BaseProvider, one: Known) -> None:
    try:
        _write(provider, [one])
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 — its lease will end, and then it is unclear
        logger.error("message %s: its answer cannot be written (%s)", one.message.pk, type(error).__name__)  # noqa: TRY400 — a trace may hold the text


def _write(provider: BaseProvider, known: Sequence[Known]) -> None:
    with transaction.atomic():
        for one in known:
            if _move_on(one.message, provider, one.outcome):
                _close(one)
        accepted = [one.outcome.reference for one in known if isinstance(one.outcome, Accepted)]
        receipts.match_early_ones(known[0].attempt.gateway_id, accepted)


def _understand(provider: BaseProvider, message: Message, attempt: Attempt, landing: Landing) -> Known:
    outcome = _outcome(provider, landing)
    text = message.text or ""
    if isinstance(outcome, Accepted):
        outcome = replace(outcome, detail=_without(text, outcome.detail))
    else:
        outcome.reason = _without(text, outcome.reason)
    return Known(message, attempt, outcome, _exchange(provider, text, landing.response))


def _outcome(provider: BaseProvider, landing: Landing) -> Accepted | NotAccepted:
    if landing.response is not None:
        return read_outcome(provider, landing.response)
    return landing.failure or Ambiguous("nothing is known of the call")


def _exchange(provider: BaseProvider, text: str, response: HttpResponse | None) -> dict[str, object]:
    """The provider's answer as it may be kept; its request holds the text and is not."""
    if response is None:
        return {}
    try:
        body = provider.redact(response.body.decode("utf-8", errors="replace"))
    except Exception:  # noqa: BLE001 — what cannot be redacted is not kept
        body = ""
    return {"status": response.status, "body": storable(_without(text, body), KEPT_ANSWER)}


def _without(text: str, written: str) -> str:
    """What a provider wrote, without the text of the message in any of the forms in which it may echo it."""
    if len(text) < SHORTEST_HIDDEN:
        return written
    forms = (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], quote(text), quote_plus(text))
    for form in forms:
        written = written.replace(form, "[text]")
    return written


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


def _close(one: Known) -> None:
    found = (
        {"outcome": Outcome.ACCEPTED, "reference": one.outcome.reference, "detail": one.outcome.detail}
        if isinstance(one.outcome, Accepted)
        else {"outcome": one.outcome.outcome, "detail": one.outcome.reason}
    )
    Attempt.objects.filter(pk=one.attempt.pk).update(finished_at=timezone.now(), exchange=one.exchange, **found)


def _tell_health(gateway_id: int, outcomes: Sequence[Accepted | NotAccepted]) -> None:
    """A provider that answers about a message, even by refusing it, is well; a fault was told already."""
    if any(isinstance(outcome, GatewayFault) for outcome in outcomes):
        return
    if any(isinstance(outcome, Accepted | Refused) for outcome in outcomes):
        health.record_success(gateway_id)
    worrying = [outcome for outcome in outcomes if not isinstance(outcome, Accepted | Refused)]
    if worrying:
        health.record_error(gateway_id, worrying[-1].reason)
