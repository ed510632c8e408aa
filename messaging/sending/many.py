"""Accepting many messages at once: a batch, in transactions of some hundred; what is wrong with one stops no other."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cache, partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import bells, opt_outs, phones
from messaging.models import Batch, Door, Message, State
from messaging.models.batch import LONGEST_NAME
from messaging.retries import Kind
from messaging.sending.accepting import Terms, check_schedule, draft, measured, note_accepted, suppress
from messaging.sending.again import may_be_resent
from messaging.sending.deeds import Deed, do_all
from portal.errors import Refusal, Why
from portal.models import User

#: How many items one batch may have.
MOST = 10_000
#: How many are accepted in one transaction.
CHUNK = 500


@dataclass(frozen=True)
class Item:
    """One message of a batch. `reference` is what its caller calls it, and is named where the item is refused."""

    phone: str
    text: str
    reference: str = ""
    recipient_label: str = ""


def send_many(
    items: Sequence[Item],
    *,
    gateway_name: str,
    requested_by: User | None,
    kind: Kind = Kind.INFORMATION,
    name: str = "",
    due_at: datetime | None = None,
    token: str = "",
    door: Door = Door.UNSAID,
) -> Batch:
    """Accepts every item that can be; those that cannot are in `Batch.refused`, each with its place and why.

    `token` names the form or call: the same again gives the same batch, and goes on where the first one was cut off.
    Raises Refusal with the field `items`, `gateway` or `schedule`; a token that was used for something else is a
    conflict.
    """
    _check_count(items)
    asked = (kind, gateway_name, requested_by.pk if requested_by else None, [astuple(item) for item in items], due_at)
    fingerprint = salted_hmac("messaging.batches", json.dumps(asked, default=str), algorithm="sha256").hexdigest()
    batch = Batch.objects.filter(token=token).first() if token else None
    if batch is None:
        check_schedule(due_at)
    wanted = routing.named(gateway_name) if gateway_name else None
    first = wanted or routing.default()
    if batch is None:
        batch = _open(
            Batch(
                name=name[:LONGEST_NAME] or _named_after(items),
                requested_by=requested_by,
                wanted=wanted,
                scheduled_for=due_at,
                total=len(items),
                token=token or None,
                fingerprint=fingerprint,
            )
        )
    if batch.fingerprint != fingerprint:
        sentence = _("This form was already sent, as batch %(id)s. Open the page anew to write something else.")
        raise Refusal(sentence % {"id": batch.pk}, field="token", why=Why.CONFLICT)
    return _take(batch, items, Terms(kind, wanted, requested_by, door, due_at=due_at, batch=batch), first)


def open_batch(name: str, total: int, *, gateway_name: str, requested_by: User | None) -> Batch:
    """A batch for messages of which each is sent by itself, with `send(batch=…)`. Raises Refusal (field `gateway`)."""
    wanted = routing.named(gateway_name) if gateway_name else None
    return Batch.objects.create(name=name[:LONGEST_NAME], total=total, wanted=wanted, requested_by=requested_by)


def go_on(batch: Batch, taken: int, refused: Sequence[tuple[str, str]] = ()) -> None:
    """So many more of its items were looked at; the refused ones by reference and sentence."""
    batch.refused += [
        {"place": None, "reference": reference, "field": "", "message": sentence} for reference, sentence in refused
    ]
    batch.taken += taken
    batch.save(update_fields=["taken", "refused"])


def _check_count(items: Sequence[Item]) -> None:
    if not items:
        raise Refusal(_("There is nobody to send it to; name at least one phone."), field="items")
    if len(items) > MOST:
        sentence = _("These are %(count)s messages and a batch holds at most %(most)s; send it in parts.")
        raise Refusal(sentence % {"count": len(items), "most": MOST}, field="items")


def _named_after(items: Sequence[Item]) -> str:
    """The first words of its text."""
    words = " ".join(items[0].text.split())
    return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"


def _open(batch: Batch) -> Batch:
    """The new batch; where the same form was sent twice at once, the one that came first."""
    if batch.token is None:
        batch.save(force_insert=True)
        return batch
    values = {field: getattr(batch, field) for field in ("name", "requested_by", "wanted", "scheduled_for", "total")}
    found, _made = Batch.objects.get_or_create(token=batch.token, defaults=values | {"fingerprint": batch.fingerprint})
    return found


def _take(batch: Batch, items: Sequence[Item], terms: Terms, first: Gateway) -> Batch:
    rung: set[int] = set()
    while batch.taken < batch.total:
        with transaction.atomic():
            # Whoever sends the same form at the same moment waits here, and goes on behind us.
            batch = Batch.objects.select_for_update().get(pk=batch.pk)
            part = items[batch.taken : batch.taken + CHUNK]
            accepted = _accept(batch, part, terms, first)
            batch.taken += len(part)
            batch.save(update_fields=["taken", "refused"])
            for gateway_id in {one.gateway_id for one in accepted if not one.waits_for} - rung:
                transaction.on_commit(partial(bells.ring, gateway_id))
                rung.add(gateway_id)
    return batch


def _accept(batch: Batch, part: Sequence[Item], terms: Terms, first: Gateway) -> list[Message]:
    survey, measure, drafts = cache(routing.Survey), cache(measured), []
    for place, item in enumerate(part, batch.taken + 1):
        try:
            phone = phones.normalise(item.phone)
            message = draft(terms, phone, item.text, measure(item.text), first, survey=survey)
        except Refusal as refusal:
            batch.refused.append(
                {"place": place, "reference": item.reference, "field": refusal.field, "message": refusal.sentence}
            )
            continue
        message.recipient_label = item.recipient_label
        drafts.append(message)
    opted = opt_outs.among(one.phone for one in drafts) if terms.kind == Kind.INFORMATION else set()
    for message in drafts:
        if message.phone in opted:
            suppress(message)
    Message.objects.bulk_create(drafts)
    note_accepted(drafts)
    waiting = [one for one in drafts if one.state == State.QUEUED]
    Message.note_schedule(one for one in waiting if one.waits_for)
    return waiting


def cancel_batch(batch: Batch, *, by: User | None) -> int:
    """Takes back what no worker has taken yet; how many that were."""
    done = 0
    while turn := Message.cancel_all(Message.objects.filter(batch=batch), by):
        done += turn
    return done


def failed_of(batch: Batch) -> QuerySet[Message]:
    """Those of its messages that may be sent again."""
    return Message.objects.filter(may_be_resent(), batch=batch)


def resend_failed(batch: Batch, *, by: User | None, without_risk: bool) -> Batch:
    """Sends those that failed again, as a batch of their own. Raises Refusal (conflict) where there are none."""
    failed = failed_of(batch)
    total = (failed.exclude(state=State.UNRESOLVED) if without_risk else failed).count()
    if not total:
        raise Refusal(_("No message of this batch can be sent again."), why=Why.CONFLICT)
    again = Batch.objects.create(
        name=batch.name, requested_by=by, wanted=batch.wanted, again_of=batch, total=total, taken=total
    )
    done = do_all(Deed.RESEND, failed, by=by, batch=again, without_risk=without_risk)
    again.refused = [
        {"place": None, "reference": str(key), "field": "", "message": sentence}
        for key, sentence in done.refused.items()
    ]
    again.total = again.taken = done.count + len(done.refused)
    again.save(update_fields=["refused", "total", "taken"])
    return again
