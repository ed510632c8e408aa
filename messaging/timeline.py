"""The journey of one message, told from what is on record: one list for the admin's page and for the API."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from gateways.outcomes import Outcome, ReceiptState
from messaging.known_gateways import gateway_of, known, reader_of, reason_of, wanted_of
from messaging.models import FINAL, Attempt, DeliveryEvent, Door, Message, State, Step, Wait


class What(StrEnum):
    """The kinds of entries."""

    ACCEPTED = "accepted"
    WAITS = "waits"
    MOVED = "moved"
    CHANGED = "changed"
    ATTEMPT = "attempt"
    RECEIPT = "receipt"
    RESENT = "resent"
    ENDED = "ended"


class Tone(StrEnum):
    """How an entry looks: Unfold's words for the colours of labels."""

    PLAIN = ""
    GOOD = "success"
    BAD = "danger"
    UNCLEAR = "warning"
    UNDER_WAY = "info"


TONES: dict[str, Tone] = {
    State.DELIVERED: Tone.GOOD,
    State.NO_RECEIPT: Tone.GOOD,
    State.SUBMITTED: Tone.UNDER_WAY,
    State.CLAIMED: Tone.UNDER_WAY,
    State.SUBMITTING: Tone.UNDER_WAY,
    State.UNKNOWN: Tone.UNCLEAR,
    State.UNRESOLVED: Tone.UNCLEAR,
    State.HELD: Tone.UNCLEAR,
    State.FAILED: Tone.BAD,
    State.UNDELIVERED: Tone.BAD,
    State.EXPIRED: Tone.BAD,
    State.LAPSED: Tone.BAD,
}
OUTCOME_TONES: dict[str, Tone] = {
    Outcome.ACCEPTED: Tone.GOOD,
    Outcome.REFUSED: Tone.BAD,
    Outcome.GATEWAY_FAULT: Tone.BAD,
    "": Tone.UNDER_WAY,
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `sentence` says it in the reader's language; `detail` is in whose words it came."""

    at: datetime
    what: What
    sentence: str | Promise
    detail: str = ""
    gateway: str = ""
    by: str = ""
    until: datetime | None = None
    seconds: float | None = None
    reported_at: datetime | None = None
    exchange: dict[str, Any] = field(default_factory=dict)
    message_id: int | None = None
    tone: Tone = Tone.PLAIN

    @property
    def answer(self) -> str:
        """The exchange as people read it."""
        return json.dumps(self.exchange, ensure_ascii=False, indent=2)


def of(message: Message) -> list[Entry]:
    """The journey of this message, as its reader may know it: four questions to the database."""
    receipts = DeliveryEvent.objects.filter(message=message).select_related("gateway").order_by("id")
    return build(
        message,
        steps=known(message.steps.select_related("gateway", "came_from", "by"), message),
        attempts=known(message.attempts.select_related("gateway"), message),
        receipts=known(receipts, message),
        again=Message.objects.filter(resend_of=message).only("pk", "created").first(),
    )


def build(
    message: Message,
    steps: Iterable[Step],
    attempts: Iterable[Attempt],
    receipts: Iterable[DeliveryEvent],
    again: Message | None,
) -> list[Entry]:
    """The entries in the order in which they happened. Asks nothing of the database but names of those given."""
    steps, attempts = list(steps), list(attempts)
    told = [
        *(_step(step) for step in steps if not (step.state == message.state and step.state in FINAL)),
        *map(_attempt, attempts),
        *map(_receipt, receipts),
    ]
    found = [_accepted(message, steps, attempts), *sorted(told, key=lambda entry: entry.at)]
    if again:
        sentence = _("Sent again as message %(id)s") % {"id": again.pk}
        found.append(Entry(again.created, What.RESENT, sentence, message_id=again.pk))
    if message.state in FINAL:
        found.append(_ended(message, steps))
    return found


def _accepted(message: Message, steps: Sequence[Step], attempts: Sequence[Attempt]) -> Entry:
    sentence = _("Accepted")
    if message.resend_of_id:
        sentence = _("Accepted, to send message %(id)s again") % {"id": message.resend_of_id}
    came = [str(Door(message.door).label)] if message.door else []
    if message.batch_id:
        came.append(_("batch %(id)s") % {"id": message.batch_id})
    if wanted := wanted_of(message, reader_of(message)):
        came.append(_("asked for gateway “%(name)s”") % {"name": wanted.name})
    return Entry(
        message.created,
        What.ACCEPTED,
        sentence,
        detail=" · ".join(came),
        gateway=_first_gateway(message, steps, attempts),
        by=_name(message.requested_by),
        message_id=message.resend_of_id,
    )


def _first_gateway(message: Message, steps: Sequence[Step], attempts: Sequence[Attempt]) -> str:
    """Where it began: what it left first, or where it was tried first, whichever came earlier."""
    left = [(step.at, step.came_from.name) for step in steps if step.came_from]
    tried = [(attempt.started_at, attempt.gateway.name) for attempt in attempts]
    return min([*left, *tried], default=(None, gateway_of(message, reader_of(message)).name))[1]


def _step(step: Step) -> Entry:
    shared: dict[str, Any] = {
        "at": step.at, "detail": step.reason, "gateway": step.gateway.name, "by": _name(step.by), "until": step.until,
    }  # fmt: skip
    if step.came_from:
        sentence = _("Moved from gateway “%(left)s” to “%(to)s”")
        names = {"left": step.came_from.name, "to": step.gateway.name}
        return Entry(what=What.MOVED, sentence=sentence % names, tone=Tone.UNDER_WAY, **shared)
    if step.waits_for:
        sentence = _("Waits: %(reason)s") % {"reason": Wait(step.waits_for).label}
        tone = Tone.PLAIN if step.waits_for == Wait.SCHEDULE else Tone.UNCLEAR
        return Entry(what=What.WAITS, sentence=sentence, tone=tone, **shared)
    return Entry(what=What.CHANGED, sentence=_changed(step), tone=TONES.get(step.state, Tone.PLAIN), **shared)


def _changed(step: Step) -> str | Promise:
    return _("Due again at once") if step.state in {State.QUEUED, State.UNKNOWN} else State(step.state).label


def _attempt(attempt: Attempt) -> Entry:
    took = (attempt.finished_at - attempt.started_at).total_seconds() if attempt.finished_at else None
    outcome = Outcome(attempt.outcome).label if attempt.outcome else _("no answer yet")
    return Entry(
        attempt.started_at,
        What.ATTEMPT,
        _("Handed over: %(outcome)s") % {"outcome": outcome},
        detail=attempt.detail,
        gateway=attempt.gateway.name,
        seconds=took,
        exchange=attempt.exchange,
        tone=OUTCOME_TONES.get(attempt.outcome, Tone.UNCLEAR),
    )


def _receipt(event: DeliveryEvent) -> Entry:
    state = ReceiptState(event.state)
    return Entry(
        event.received_at,
        What.RECEIPT,
        _("Receipt: %(state)s") % {"state": state.label},
        detail=" · ".join(filter(None, (event.reference, event.detail))),
        gateway=event.gateway.name,
        reported_at=event.at,
        tone=TONES.get(state, Tone.UNCLEAR),
    )


def _ended(message: Message, steps: Sequence[Step]) -> Entry:
    by = [_name(step.by) for step in steps if step.state == message.state]
    return Entry(
        message.finished_at or message.submitted_at or message.created,
        What.ENDED,
        State(message.state).label,
        detail=reason_of(message, reader_of(message)),
        by=by[-1] if by else "",
        tone=TONES.get(message.state, Tone.PLAIN),
    )


def _name(user: Any) -> str:
    return str(user.get_username()) if user else ""
