"""Accepting many messages at once: a batch, whole and in one transaction; what is wrong with one stops no other."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import opt_outs, phones, tasks
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
#: How many rows one statement stores.
ROWS = 500


@dataclass(frozen=True)
class Item:
    """One message of a batch. `reference` is what its caller calls it, and is named where the item is refused."""

    phone: str
    text: str
    reference: str = ""
    recipient_label: str = ""


@dataclass(frozen=True)
class Faulty:
    """An item whose door could make no message of it; it counts, and is refused with this sentence."""

    field: str
    sentence: str
    reference: str = ""


def send_many(
    items: Sequence[Item | Faulty],
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

    All of it is committed at once or nothing is. `token` names the form: the same again gives the same batch.
    Raises Refusal with the field `items`, `gateway` or `schedule`; a token that was used for something else is a
    conflict.
    """
    _check_count(items)
    asked = (kind, gateway_name, requested_by.pk if requested_by else None, [astuple(item) for item in items], due_at)
    fingerprint = _fingerprint(asked) if token else ""
    if token and (earlier := Batch.objects.filter(token=token).first()):
        return _same(earlier, fingerprint)
    check_schedule(due_at)
    wanted = routing.named(gateway_name) if gateway_name else None
    terms = Terms(kind, wanted, requested_by, door, due_at=due_at)
    # Nothing is locked yet while thousands of phones and texts are looked at.
    drafts, refused = _drafts(items, terms, wanted or routing.default())
    batch = Batch(
        name=name[:LONGEST_NAME] or _named_after(items),
        requested_by=requested_by,
        wanted=wanted,
        scheduled_for=due_at,
        total=len(items),
        taken=len(items),
        refused=refused,
        token=token or None,
        fingerprint=fingerprint,
    )
    with transaction.atomic():
        if token and (first := _saved_by_another(batch)):
            return _same(first, fingerprint)
        if not token:
            batch.save(force_insert=True)
        _store(batch, drafts, kind)
    return batch


def open_batch(name: str, total: int, *, gateway_name: str, requested_by: User | None) -> Batch:
    """A batch for messages of which each is sent by itself, with `send(batch=…)`. Raises Refusal (field `gateway`)."""
    wanted = routing.named(gateway_name) if gateway_name else None
    return Batch.objects.create(name=name[:LONGEST_NAME], total=total, wanted=wanted, requested_by=requested_by)


def go_on(batch: Batch, taken: int, refused: Sequence[tuple[str, str]] = ()) -> None:
    """So many more of its items were looked at; the refused ones by reference and sentence."""
    batch.refused += [_refused(None, reference, "", sentence) for reference, sentence in refused]
    batch.taken += taken
    batch.save(update_fields=["taken", "refused"])


def _check_count(items: Sequence[object]) -> None:
    if not items:
        raise Refusal(_("There is nobody to send it to; name at least one phone."), field="items")
    if len(items) > MOST:
        sentence = _("These are %(count)s messages and a batch holds at most %(most)s; send it in parts.")
        raise Refusal(sentence % {"count": len(items), "most": MOST}, field="items")


def _fingerprint(asked: object) -> str:
    return salted_hmac("messaging.batches", json.dumps(asked, default=str), algorithm="sha256").hexdigest()


def _named_after(items: Sequence[Item | Faulty]) -> str:
    """The first words of its text."""
    words = " ".join(next((item.text for item in items if isinstance(item, Item)), "").split())
    return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"


def _same(batch: Batch, fingerprint: str) -> Batch:
    if batch.fingerprint != fingerprint:
        sentence = _("This form was already sent, as batch %(id)s. Open the page anew to write something else.")
        raise Refusal(sentence % {"id": batch.pk}, field="token", why=Why.CONFLICT)
    return batch


def _saved_by_another(batch: Batch) -> Batch | None:
    """Saves it, unless the same form was sent at the same moment: then whoever came first, once that is committed."""
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError:
        return Batch.objects.get(token=batch.token)
    return None


def _drafts(items: Sequence[Item | Faulty], terms: Terms, first: Gateway) -> tuple[list[Message], list[dict[str, Any]]]:
    """The messages as they will be stored, and of each other item its place and why."""
    survey, measure = cache(routing.Survey), cache(measured)
    drafts: list[Message] = []
    refused: list[dict[str, Any]] = []
    for place, item in enumerate(items, 1):
        if isinstance(item, Faulty):
            refused.append(_refused(place, item.reference, item.field, item.sentence))
            continue
        try:
            phone = phones.normalise(item.phone)
            message = draft(terms, phone, item.text, measure(item.text), first, survey=survey)
        except Refusal as refusal:
            refused.append(_refused(place, item.reference, refusal.field, refusal.sentence))
            continue
        message.recipient_label, message.caller_reference = item.recipient_label, item.reference or None
        drafts.append(message)
    return drafts, refused


def _refused(place: int | None, reference: str, field: str, sentence: str) -> dict[str, Any]:
    return {"place": place, "reference": reference, "field": field, "message": sentence}


def _store(batch: Batch, drafts: list[Message], kind: Kind) -> None:
    opted = opt_outs.among(one.phone for one in drafts) if kind == Kind.INFORMATION else set()
    for message in drafts:
        message.batch = batch
        if message.phone in opted:
            suppress(message)
    Message.objects.bulk_create(drafts, batch_size=ROWS)
    Message.note_schedule(one for one in drafts if one.waits_for)
    note_accepted(drafts)
    if to_ring := {one.gateway_id for one in drafts if one.state == State.QUEUED and not one.waits_for}:
        transaction.on_commit(partial(tasks.ring_for, *to_ring))


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
    again.refused = [_refused(None, str(key), "", sentence) for key, sentence in done.refused.items()]
    again.total = again.taken = done.count + len(done.refused)
    again.save(update_fields=["refused", "total", "taken"])
    return again
