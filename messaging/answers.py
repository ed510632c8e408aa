"""What came back, understood: the outcome that the provider's file sees in it, and what may be kept of it.

No message is written here, `settling` does; that a login has ended is told to `sessions`.
"""

from dataclasses import dataclass, replace

from gateways import sessions
from gateways.outcomes import Accepted, Ambiguous, NotAccepted, Outcome
from gateways.provider import BaseProvider, read_outcome
from gateways.transport import Landing
from messaging import redaction
from messaging.models import Attempt, Message

Landed = tuple[Message, Attempt, Landing]


@dataclass(frozen=True)
class Understood:
    """One answer as it will be written down, without the text of its message."""

    message: Message
    attempt: Attempt
    outcome: Accepted | NotAccepted
    exchange: dict[str, object]


def understand(provider: BaseProvider, message: Message, attempt: Attempt, landing: Landing) -> Understood:
    """What became of this call. Raises DATABASE_AWAY where it ends a login, and what a provider's file may raise."""
    outcome = _outcome(provider, attempt, landing)
    hidden = [*redaction.pieces(message.text or "", message.shown_text or ""), *redaction.secrets_of(provider)]
    if isinstance(outcome, Accepted):
        hidden.append(outcome.code)
        outcome = replace(outcome, detail=redaction.without(hidden, outcome.detail))
    else:
        outcome.reason = redaction.without(hidden, outcome.reason)
    exchange = redaction.kept(provider, landing.response, hidden) if landing.response else {}
    return Understood(message, attempt, outcome, exchange)


def _outcome(provider: BaseProvider, attempt: Attempt, landing: Landing) -> Accepted | NotAccepted:
    if landing.response is None:
        return landing.failure or Ambiguous("nothing is known of the call")
    if provider.way.ended(landing.response):
        return sessions.ended(attempt.gateway_id, attempt.token_issued_at)
    return read_outcome(provider, landing.response)


def reference_of(accepted: Accepted, provider: BaseProvider, message: Message) -> str:
    """What its provider calls the message; our own key, where the provider gives no id and reports by ours."""
    return accepted.reference or (message.key if provider.reports_by_key else "")


def reported_as(one: Understood, provider: BaseProvider) -> str:
    """By which reference the provider may have reported it already; empty where it cannot have."""
    if isinstance(one.outcome, Accepted):
        return reference_of(one.outcome, provider, one.message)
    return one.message.key if provider.reports_by_key and one.message.unclear else ""


def unclear_key(provider: BaseProvider, message: Message) -> str:
    """By what a receipt finds an attempt whose answer never came: our key, where the provider reports by that."""
    return provider.canonical(message.key) if provider.reports_by_key else ""


def class_of(outcome: Accepted | NotAccepted) -> Outcome:
    """Its class, as an attempt keeps it."""
    return Outcome.ACCEPTED if isinstance(outcome, Accepted) else outcome.outcome


def reference_on_record(one: Understood, provider: BaseProvider) -> tuple[str, str]:
    """What the provider calls it, and by what a receipt finds it."""
    if isinstance(one.outcome, Accepted):
        reference = reference_of(one.outcome, provider, one.message)
        return reference, provider.canonical(reference)
    return "", unclear_key(provider, one.message) if isinstance(one.outcome, Ambiguous) else ""
