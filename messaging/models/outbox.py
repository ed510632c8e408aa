"""The outbox: what happened is put on record for every webhook that listens, in the transaction in which it happens.

Where nobody listens nothing is written, and nobody is asked: who listens is known in memory. Delivering is the business
of `messaging.webhooks`.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction

from messaging import ringing
from messaging.models.webhook import Delivered, Webhook, WebhookDelivery, WebhookEvent
from portal import clock, versions
from portal.bulk.inserting import insert_copies
from portal.encryption import encrypt
from portal.versions import Kept

#: The task that delivers to one webhook; named, because what it calls writes here too.
DELIVER = "messaging.tasks.deliver"
#: For so many seconds a process takes what it knew of the webhooks for true, and asks nobody. `webhooks.keeping` waits
#: for longer than that before it says that a webhook is made.
UNASKED = 1.0

Data = Mapping[str, Any]


class Listener(NamedTuple):
    """A webhook that is switched on, and what it is told of. One that is paused is told later."""

    webhook: int
    events: frozenset[str]
    paused: bool


_kept: Kept[None, tuple[Listener, ...]] = Kept()


def listeners() -> tuple[Listener, ...]:
    """The webhooks that are switched on."""
    found = _kept.get(None, unasked=UNASKED)
    if found is None:
        version = versions.now()
        rows = Webhook.objects.filter(enabled=True).values_list("pk", "events", "paused_at")
        found = tuple(Listener(pk, frozenset(events), paused is not None) for pk, events, paused in rows)
        _kept.put(None, version, found)
    return found


def forget() -> None:
    """This process has changed a webhook; the others find out within a second."""
    _kept.forget()


def is_heard(event_type: str) -> bool:
    """Whether anybody is told of such events; without a look at the database, or nearly so."""
    return any(event_type in listener.events for listener in listeners())


def tell(event_type: str, data: Data, *, about: str = "") -> None:
    """Puts one event on record, in the caller's transaction, for whoever listens.

    `about` is the name under which `webhooks.forget_about` finds it.
    """
    tell_all(event_type, [data], about=[about])


def tell_all(event_type: str, each: Sequence[Data], *, about: Sequence[str] = ()) -> None:
    """The same for many at once: one INSERT of the events, and one of what is to be delivered."""
    hearing = [listener for listener in listeners() if event_type in listener.events]
    if hearing and each:
        put(event_type, each, [listener.webhook for listener in hearing], about=about)
        ready = [listener.webhook for listener in hearing if not listener.paused]
        transaction.on_commit(partial(_ring, ready))


def put(
    event_type: str,
    each: Sequence[Data],
    webhooks: Collection[int],
    *,
    about: Sequence[str] = (),
    taken_until: datetime | None = None,
) -> list[int]:
    """Puts events on record for these webhooks, due now or taken by the caller until then; their keys in their order.

    Rings no bell.
    """
    now = clock.now()
    rows = [
        (f"msg_{secrets.token_hex(12)}", encrypt(body_of(event_type, now, data)), subject)
        for data, subject in zip(each, about or [""] * len(each), strict=True)
    ]
    with transaction.atomic(savepoint=False):
        made = insert_copies(WebhookEvent(type=event_type, at=now), ("uid", "body", "about"), rows, known_by="uid")
        keys = [made[uid] for uid, _body, _subject in rows]
        template = WebhookDelivery(
            due_at=taken_until or now, since=now, state=Delivered.PENDING, tries=1 if taken_until else 0
        )
        insert_copies(template, ("webhook", "event"), [(webhook, key) for webhook in webhooks for key in keys])
    return keys


def body_of(event_type: str, at: datetime, data: Data) -> str:
    """The body that all webhooks get, and whoever is sent it again: the fields of the standard and no other.

    Standard Webhooks, section "Payload structure".
    """
    body = {"type": event_type, "timestamp": written(at), "data": dict(data)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_plain)


def written(at: datetime | None) -> str | None:
    """A point in time as events write it: ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _plain(value: object) -> str | None:
    return written(value) if isinstance(value, datetime) else str(value)


def _ring(webhooks: Sequence[int]) -> None:
    for webhook in webhooks:
        ringing.ring_soon(webhook, DELIVER)
