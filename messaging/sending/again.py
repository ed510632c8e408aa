"""Messages that were accepted before: sent again, sent through another gateway, taken back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import opt_outs, recipients, ringing, tasks
from messaging.known_gateways import gateway_of
from messaging.models import CANCELLABLE, RESENDABLE, Batch, Door, Message, State
from messaging.retries import Kind
from messaging.sending.accepting import Terms, draft, measured, note_accepted, send, suppress
from portal.errors import Refusal, Why
from portal.models import User


@transaction.atomic
def resend(
    message: Message,
    *,
    requested_by: User | None,
    gateway: Gateway | None = None,
    door: Door = Door.UNSAID,
) -> Message:
    """Sends an unsuccessful message again, as a new one that names it. Its text moves along, so it happens once.

    `gateway` is another one to try first. Raises Refusal (conflict) where it was sent again before, is not at a bad
    end or its text is no longer kept.
    """
    locked = Message.objects.select_for_update(of=("self",)).select_related("gateway", "wanted")
    message = locked.get(pk=message.pk)
    earlier = Message.objects.filter(resend_of=message).only("pk").first()
    if earlier is not None:
        sentence = _("Message %(id)s was already sent again as %(again)s.")
        raise Refusal(sentence % {"id": message.pk, "again": earlier.pk}, why=Why.CONFLICT)
    if message.state not in RESENDABLE:
        states = ", ".join(RESENDABLE)
        sentence = _("Message %(id)s is %(state)s; only one that is %(states)s can be sent again.")
        raise Refusal(sentence % {"id": message.pk, "state": message.state, "states": states}, why=Why.CONFLICT)
    if not message.text:
        sentence = _("The text of message %(id)s is no longer kept; send a new message.")
        raise Refusal(sentence % {"id": message.pk}, why=Why.CONFLICT)
    again = send(
        phone=message.phone,
        text=message.text,
        kind=Kind(message.kind),
        gateway_name=(gateway or gateway_of(message, requested_by)).name,
        requested_by=requested_by,
        masked_text=message.masked_text,
        recipient_label=message.recipient_label,
        only_here=message.only_here,
        door=door,
    )
    again.link_to(message)
    recipients.tell_resent([message.pk])
    return again


@dataclass
class Done:
    """What became of many: how many it was done with, and why not with each of the others, by message."""

    count: int = 0
    refused: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Done") -> None:
        """Adds what was done in another turn."""
        self.count += other.count
        self.refused |= other.refused


def may_be_resent() -> Q:
    """The same conditions as those of `resend`, for many rows."""
    return Q(Message.not_sent_again(), state__in=RESENDABLE, text__isnull=False)


@transaction.atomic
def resend_all(
    rows: QuerySet[Message], *, by: User | None, gateway: Gateway | None = None, batch: Batch | None = None
) -> Done:
    """As `resend`, for all of these rows that may be: a few statements for many. Keep it to some hundred rows."""
    locked = rows.select_for_update(of=("self",)).filter(may_be_resent())
    # Somebody may have been quicker while we waited for the lock: then its text is gone.
    formers = [former for former in locked if former.text and former.state in RESENDABLE]
    firsts = {one.pk: one for one in Gateway.objects.select_related("health")}
    opted = opt_outs.among(former.phone for former in formers)
    done, drafts, survey = Done(), [], cache(routing.Survey)
    for former in formers:
        try:
            drafts.append(_again(former, gateway or firsts[former.gateway_id], by, batch, survey))
        except Refusal as refusal:
            done.refused[former.pk] = refusal.sentence
            continue
        if former.kind == Kind.INFORMATION and former.phone in opted:
            suppress(drafts[-1])
    Message.objects.bulk_create(drafts)
    note_accepted(drafts)
    sent_again = [one.resend_of_id for one in drafts if one.resend_of_id]
    Message.objects.filter(pk__in=sent_again).update(text=None)
    recipients.tell_resent(sent_again)
    if to_ring := {one.gateway_id for one in drafts if one.state == State.QUEUED}:
        transaction.on_commit(partial(tasks.ring_for, *to_ring))
    done.count = len(drafts)
    return done


def _again(
    former: Message, first: Gateway, by: User | None, batch: Batch | None, survey: Callable[[], routing.Survey]
) -> Message:
    if not first.enabled:
        routing.named(first.name)
    text = former.text or ""
    terms = Terms(Kind(former.kind), first, by, Door.PAGES, former.only_here, batch=batch)
    again = draft(terms, former.phone, text, measured(text), first, masked_text=former.masked_text, survey=survey)
    again.recipient_label, again.caller_reference = former.recipient_label, former.caller_reference
    again.resend_of = former
    return again


def send_elsewhere(message: Message, gateway: Gateway, *, by: User | None, door: Door = Door.UNSAID) -> Message:
    """Sends a message through another gateway; the message that goes there, which may be a new one.

    One that waits, and certainly was not sent, is moved. One at a bad end is sent again there, once, at the risk that
    `risk_of_resending` names. Raises Refusal.
    """
    _check_elsewhere(message, gateway)
    if message.state in RESENDABLE:
        return resend(message, requested_by=by, gateway=gateway, door=door)
    if message.unclear or not message.move_to(gateway, by):
        state = Message.objects.values_list("state", flat=True).get(pk=message.pk)
        sentence = _("Message %(id)s is %(state)s and can go through no other gateway now.")
        raise Refusal(sentence % {"id": message.pk, "state": state}, why=Why.CONFLICT)
    if not message.waits_for:
        transaction.on_commit(partial(ringing.ring_soon, gateway.pk))
    return message


def _check_elsewhere(message: Message, gateway: Gateway) -> None:
    if message.only_here:
        sentence = _("Message %(id)s is a test of gateway “%(name)s” and goes through no other.")
        raise Refusal(sentence % {"id": message.pk, "name": message.gateway.name}, why=Why.CONFLICT)
    if gateway.pk == message.gateway_id and message.state not in RESENDABLE:
        sentence = _("Message %(id)s is at gateway “%(name)s” already.")
        raise Refusal(sentence % {"id": message.pk, "name": gateway.name}, field="gateway", why=Why.CONFLICT)
    routing.named(gateway.name)
    if not routing.serves(gateway, message.phone):
        sentence = _("Gateway “%(name)s” may not send message %(id)s: its prefixes leave the phone out.")
        raise Refusal(sentence % {"id": message.pk, "name": gateway.name}, field="gateway")


def risk_of_resending(message: Message) -> str:
    """What must be known to whoever sends this message again; empty where it cannot have arrived."""
    if message.state != State.UNRESOLVED:
        return ""
    return _("The first one may have been delivered, so that two copies may arrive.")


def cancel(message: Message, *, by: User | None) -> None:
    """Takes back a message that no worker has taken. Raises Refusal (conflict) where it is too late."""
    if message.state not in CANCELLABLE or not message.cancel(by):
        state = Message.objects.values_list("state", flat=True).get(pk=message.pk)
        sentence = _("Message %(id)s is %(state)s; only one that is queued or held can be cancelled.")
        raise Refusal(sentence % {"id": message.pk, "state": state}, why=Why.CONFLICT)
