"""Which changes of a message's state other systems are told of, and what they read: never its text, nor its phone."""

from collections.abc import Sequence
from typing import Any

from gateways.models import Gateway
from messaging import event_types
from messaging.models import outbox
from messaging.models.states import State
from portal import audit

#: What happens when a message comes to a state, as it is told. `no_receipt` is told where it is what is handed over
#: comes to at once, because this provider never reports; elsewhere it says that nobody knows more.
EVENTS: dict[State, str] = {
    State.SUBMITTED: event_types.SUBMITTED,
    State.DELIVERED: event_types.DELIVERED,
    State.UNDELIVERED: event_types.UNDELIVERED,
    State.EXPIRED: event_types.UNDELIVERED,
    State.FAILED: event_types.FAILED,
    State.LAPSED: event_types.FAILED,
    State.UNRESOLVED: event_types.UNRESOLVED,
}
#: The columns that are read of a message for this.
COLUMNS = (
    *("pk", "state", "reason", "kind", "gateway_id", "batch_id", "caller_reference", "segments"),
    *("created", "submitted_at", "finished_at"),
)


def event_of(to: State) -> str:
    """The event of this change, where anybody listens to it; empty otherwise."""
    event_type = EVENTS.get(to, "")
    return event_type if event_type and outbox.is_heard(event_type) else ""


def handed_over(to: State) -> str:
    """The same for messages that a provider just took, whether or not it will report."""
    return event_of(State.SUBMITTED if to == State.NO_RECEIPT else to)


def announce(event_type: str, rows: Sequence[Any]) -> None:
    """Tells of messages that were just changed, in the transaction of the change."""
    keys = {row.gateway_id for row in rows}
    names = dict(Gateway.objects.filter(pk__in=keys).values_list("pk", "name"))
    outbox.tell_all(event_type, [_data(row, names) for row in rows])


def _data(row: Any, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": str(row.state),
        # A provider may name the phone in what it says.
        "reason": audit.mask(row.reason),
        "kind": row.kind,
        "sms_gateway": names.get(row.gateway_id, ""),
        "batch": row.batch_id,
        "caller_reference": row.caller_reference,
        "segments": row.segments,
        "created": row.created,
        "submitted_at": row.submitted_at,
        "finished_at": row.finished_at,
    }
