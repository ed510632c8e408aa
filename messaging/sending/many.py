"""Accepting many messages at once: a batch, whole and in one transaction; what is wrong with one stops no other."""

import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gateways import routing
from messaging import opt_outs, tasks
from messaging.models import Batch, Door, Message, State, Wait
from messaging.models.batch import LONGEST_NAME
from messaging.retries import Kind
from messaging.sending.accepting import Terms, check_schedule, note_so_many, wanted_gateway
from messaging.sending.again import may_be_resent
from messaging.sending.deeds import Deed, do_all
from messaging.sending.preparing import Faulty, Item, Known, Prepared, look_at, refusal_of, route, store
from portal.errors import Refusal, Why
from portal.models import User

#: How many items one batch may have.
MOST = 10_000


def send_many(
    items: Sequence[Item | Known | Faulty],
    *,
    gateway_name: str,
    requested_by: User | None,
    kind: Kind = Kind.INFORMATION,
    name: str = "",
    due_at: datetime | None = None,
    token: str = "",
    door: Door = Door.UNSAID,
    no_later: datetime | None = None,
) -> Batch:
    """Accepts every item that can be; those that cannot are in `Batch.refused`, each with its place and why.

    All of it is committed at once or nothing is. Whoever calls this in a transaction lets `look_at` look at the items
    first, when nothing is locked yet. `token` names the form: the same again, items as they came, gives the same batch.
    `no_later` is the time after which none must be sent, where that comes sooner than their kind says. Raises Refusal
    with the field `items`, `gateway` or `schedule`; a token that was used for something else is a conflict.
    """
    if token and any(isinstance(item, Known) for item in items):
        # Each look encrypts a text differently, and the form would be at odds with itself.
        raise TypeError("A form that has a token is sent with its items as they came, not looked at yet.")
    _check_count(items)
    fingerprint = _fingerprint(items, kind, gateway_name, requested_by, due_at, no_later) if token else ""
    if token and (earlier := Batch.objects.filter(token=token).first()):
        return _same(earlier, fingerprint)
    check_schedule(due_at, no_later)
    wanted = wanted_gateway(gateway_name, requested_by)
    terms = Terms(kind, wanted, requested_by, door, due_at=due_at, no_later=no_later)
    prepared = route(look_at(items), terms, wanted or routing.default())
    batch = Batch(
        name=name[:LONGEST_NAME] or _named_after(items),
        requested_by=requested_by,
        wanted=wanted,
        scheduled_for=due_at,
        total=len(items),
        taken=len(items),
        refused=prepared.refused,
        token=token or None,
        fingerprint=fingerprint,
    )
    with transaction.atomic():
        if token and (first := _saved_by_another(batch)):
            return _same(first, fingerprint)
        if not token:
            batch.save(force_insert=True)
        _store(replace(terms, batch=batch), prepared)
    return batch


def open_batch(name: str, total: int, *, gateway_name: str, requested_by: User | None) -> Batch:
    """A batch for messages of which each is sent by itself, with `send(batch=…)`. Raises Refusal (field `gateway`)."""
    wanted = wanted_gateway(gateway_name, requested_by)
    return Batch.objects.create(name=name[:LONGEST_NAME], total=total, wanted=wanted, requested_by=requested_by)


def go_on(batch: Batch, taken: int, refused: Sequence[tuple[str, str]] = ()) -> None:
    """So many more of its items were looked at; the refused ones by reference and sentence."""
    batch.refused += [refusal_of(reference, "", sentence) for reference, sentence in refused]
    batch.taken += taken
    batch.save(update_fields=["taken", "refused"])


def _check_count(items: Sequence[object]) -> None:
    if not items:
        raise Refusal(_("There is nobody to send it to; name at least one phone."), field="items")
    if len(items) > MOST:
        sentence = _("These are %(count)s messages and a batch holds at most %(most)s; send it in parts.")
        raise Refusal(sentence % {"count": len(items), "most": MOST}, field="items")


def _fingerprint(items: Sequence[object], kind: Kind, gateway_name: str, by: User | None, *rest: object) -> str:
    given = [astuple(item) if isinstance(item, Item | Faulty) else item for item in items]
    asked = (kind, gateway_name, by.pk if by else None, given, *rest)
    return salted_hmac("messaging.batches", json.dumps(asked, default=str), algorithm="sha256").hexdigest()


def _named_after(items: Sequence[object]) -> str:
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


def _store(terms: Terms, prepared: Prepared) -> None:
    to_ring = []
    for gateway, messages in prepared.by_gateway.items():
        opted = opt_outs.among(one.phone for one in messages) if terms.kind == Kind.INFORMATION else set()
        going = [one for one in messages if one.phone not in opted] if opted else messages
        store(terms, gateway, going)
        store(terms, gateway, [one for one in messages if one.phone in opted], suppressed=True)
        note_so_many(len(messages), gateway.pk, terms.kind)
        to_ring += [gateway.pk] if going else []
    if terms.due_at:
        Message.note_schedule(Message.objects.filter(batch=terms.batch, waits_for=Wait.SCHEDULE))
    elif to_ring:
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
    again.refused = [refusal_of(str(key), "", sentence) for key, sentence in done.refused.items()]
    again.total = again.taken = done.count + len(done.refused)
    again.save(update_fields=["refused", "total", "taken"])
    return again
