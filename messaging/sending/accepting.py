"""Accepting one message: what it must be, which gateway takes it, and when it is due."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import opt_outs, phones, retries, tasks, texts
from messaging.models import Batch, Door, Message, State, Wait
from messaging.retries import Kind
from portal import clock, counting, permissions
from portal.errors import Refusal
from portal.models import User

#: A message may be accepted for a time no later than this from now.
LATEST = timedelta(days=30)


@dataclass(frozen=True)
class Terms:
    """What messages of one call have in common. `due_at` is empty where they are to be sent at once.

    `no_later` is an end of their validity that comes sooner than that of their kind.
    """

    kind: Kind
    wanted: Gateway | None
    requested_by: User | None
    door: Door = Door.UNSAID
    only_here: bool = False
    due_at: datetime | None = None
    batch: Batch | None = None
    no_later: datetime | None = None


def send(  # noqa: PLR0913 — each says one thing of a message
    *,
    phone: str,
    text: str,
    kind: Kind,
    gateway_name: str,
    requested_by: User | None,
    masked_text: str = "",
    recipient_label: str = "",
    only_here: bool = False,
    due_at: datetime | None = None,
    door: Door = Door.UNSAID,
    batch: Batch | None = None,
    first: Gateway | None = None,
    caller_reference: str = "",
    no_later: datetime | None = None,
) -> Message:
    """Accepts one message: once this returns and its transaction commits, its fate will be on record.

    `phone` may be written in any usual way; `gateway_name` is the one to try first, empty: the default one, or `first`;
    `masked_text` is what the portal shows of a text with a secret in it; `recipient_label` is a pid; `only_here` rules
    out any other gateway; `due_at` is a later time to send it, and `no_later` the time after which it must not be sent,
    where that comes sooner than its kind says; `batch` is what it is a part of; `caller_reference` is what a program
    calls it. Information for a phone that opted out is put on record and suppressed. Raises Refusal with the field
    `phone`, `text`, `gateway` or `schedule`.
    """
    phone = phones.normalise(phone)
    measure = measured(text)
    check_schedule(due_at, no_later)
    wanted = wanted_gateway(gateway_name, requested_by)
    terms = Terms(kind, wanted, requested_by, door, only_here, due_at, batch, no_later)
    message = draft(terms, phone, text, measure, first or wanted or routing.default(), masked_text=masked_text)
    message.recipient_label, message.caller_reference = recipient_label, caller_reference or None
    if kind == Kind.INFORMATION and opt_outs.has_opted_out(phone):
        suppress(message)
    with transaction.atomic(savepoint=False):
        message.save(force_insert=True)
        if message.waits_for:
            Message.note_schedule([message])
    note_stored(message)
    return message


def prepare(
    *,
    phone: str,
    text: str,
    kind: Kind,
    gateway_name: str,
    requested_by: User | None,
    door: Door,
    caller_reference: str = "",
    no_later: datetime | None = None,
) -> Message:
    """What `send` stores of a message that may leave at once, for whoever stores it and then tells `note_stored`.

    Whether the phone has opted out is still to be asked. Raises Refusal as `send` does; see there.
    """
    phone, measure = phones.normalise(phone), measured(text)
    check_schedule(None, no_later)
    wanted = wanted_gateway(gateway_name, requested_by)
    terms = Terms(kind, wanted, requested_by, door, no_later=no_later)
    message = draft(terms, phone, text, measure, wanted or routing.default())
    message.caller_reference = caller_reference or None
    return message


def wanted_gateway(name: str, requested_by: User | None) -> Gateway | None:
    """The gateway of this name; None without a name, where whoever asks may use the default one. Raises Refusal.

    For a key that is for some gateways the default one is as if named: what another one takes over stays the key's own.
    """
    if name:
        return routing.named(name, requested_by)
    if not permissions.is_for_some_gateways(requested_by):
        return None
    default = routing.default()
    if not permissions.may_use_gateway(requested_by, default.pk):
        raise Refusal(_("Name a gateway: this key or client is not for the default one."), field="gateway")
    return default


def note_stored(message: Message) -> None:
    """Once the message is committed, the bell rings for it, if it may leave at once, and it is counted."""
    if message.state == State.QUEUED and not message.waits_for:
        transaction.on_commit(partial(tasks.ring_for, message.gateway_id))
    note_accepted([message])


def note_accepted(messages: Iterable[Message]) -> None:
    """Counts them for `/metrics`, once they are committed."""
    for (gateway_id, kind), many in Counter((one.gateway_id, one.kind) for one in messages).items():
        note_so_many(many, gateway_id, kind)


def note_so_many(many: int, gateway_id: int, kind: str) -> None:
    """The same for messages of one gateway and kind that are not in memory."""
    transaction.on_commit(partial(counting.add, "messages_accepted", many, gateway=gateway_id, kind=kind))


def draft(
    terms: Terms,
    phone: str,
    text: str,
    measure: texts.Measure,
    first: Gateway,
    *,
    masked_text: str = "",
    survey: Callable[[], routing.Survey] | None = None,
) -> Message:
    """The message as it will be stored, for an E.164 phone; `first` is the gateway to try first. Raises Refusal."""
    gateway = routing.choose(phone, first, strict=terms.only_here, survey=survey, later=terms.due_at is not None)
    text = texts.tidy(text)
    refuse_without_code(gateway, text)
    message = blank(terms, gateway)
    message.phone, message.text, message.masked_text = phone, text, masked_text
    message.encoding, message.segments = measure.encoding, measure.segments
    return message


def blank(terms: Terms, gateway: Gateway) -> Message:
    """A message as it will be stored but for its phone and its text."""
    now = clock.now()
    due_at = terms.due_at or now
    valid_until = retries.valid_until(terms.kind, due_at)
    return Message(
        kind=terms.kind,
        priority=retries.RULES[terms.kind].priority,
        gateway=gateway,
        wanted=terms.wanted,
        only_here=terms.only_here,
        requested_by=terms.requested_by,
        door=terms.door,
        batch=terms.batch,
        created=now,
        due_at=due_at,
        waits_for=Wait.SCHEDULE if terms.due_at else Wait.NONE,
        valid_until=min(valid_until, terms.no_later or valid_until),
    )


def suppress(message: Message) -> None:
    """On record and at its end at once: nothing is sent, and the text is not kept. For one that is not stored yet."""
    ended: dict[str, Any] = {
        "state": State.SUPPRESSED, "reason": opt_outs.REASON, "text": None, "due_at": None, "waits_for": Wait.NONE,
        "finished_at": message.created,
    }  # fmt: skip
    for name, value in ended.items():
        setattr(message, name, value)


def check_schedule(due_at: datetime | None, no_later: datetime | None = None) -> None:
    """Raises Refusal (field `schedule`) for a time that is over or too far away, or comes after the last one."""
    now = clock.now()
    if due_at and due_at <= now:
        raise Refusal(_("This time is over; name a later one, or none to send at once."), field="schedule")
    if due_at and due_at > now + LATEST:
        sentence = _("Name a time within the next %(days)s days.")
        raise Refusal(sentence % {"days": LATEST.days}, field="schedule")
    if no_later and no_later <= (due_at or now):
        raise Refusal(_("The message would be too late before it could be sent."), field="schedule")


def measured(text: str) -> texts.Measure:
    """What the text costs on the air. Raises Refusal (field `text`) where it is empty, too long or unsendable."""
    if not text.strip():
        raise Refusal(_("The text is empty; write what the guest shall read."), field="text")
    measure = texts.measure(text)
    if measure.segments > settings.MAX_SEGMENTS:
        sentence = _("The text needs %(needed)s SMS segments and at most %(most)s are allowed; shorten it.")
        raise Refusal(sentence % {"needed": measure.segments, "most": settings.MAX_SEGMENTS}, field="text")
    return measure


def refuse_without_code(gateway: Gateway, text: str) -> None:
    """A provider that makes the one-time code itself sends nothing else."""
    placeholder = routing.placeholder(gateway)
    if placeholder and placeholder not in text:
        sentence = _("Gateway “%(name)s” makes the one-time code itself: the text must hold %(placeholder)s.")
        raise Refusal(sentence % {"name": gateway.name, "placeholder": placeholder}, field="text")


def send_test(gateway: Gateway, *, phone: str, text: str, requested_by: User | None) -> Message:
    """A real message through this gateway and no other, to the gateway's test number unless a phone is given.

    Raises Refusal as `send` does, and where there is no phone.
    """
    phone = phone or gateway.test_number
    if not phone:
        raise Refusal(_("Give a phone, or set the gateway's test number."), field="phone")
    return send(
        phone=phone,
        text=text or _test_text(gateway),
        kind=Kind.INFORMATION,
        gateway_name=gateway.name,
        requested_by=requested_by,
        only_here=True,
        door=Door.TEST,
    )


def _test_text(gateway: Gateway) -> str:
    text = _("%(portal)s: a test of gateway %(name)s") % {"portal": settings.PORTAL_NAME, "name": gateway.name}
    return f"{text} {routing.placeholder(gateway)}".strip()
