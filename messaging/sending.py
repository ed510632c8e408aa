"""The one door by which messages are accepted, sent again and taken back. What happens later is delivery's."""

from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gateways import routing
from messaging import phones, retries, tasks, texts
from messaging.models import RESENDABLE, Message
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User


def send(
    *,
    phone: str,
    text: str,
    kind: Kind,
    gateway_name: str,
    requested_by: User | None,
    masked_text: str = "",
    recipient_label: str = "",
) -> Message:
    """Accepts one message: once this returns and its transaction commits, its fate will be on record.

    `phone` may be written in any usual way; `masked_text` is what the portal shows of a text with a secret in it;
    `recipient_label` is a pid. Raises Refusal with the field `phone`, `text` or `gateway`.
    """
    phone = phones.normalise(phone)
    text = texts.tidy(text)
    measure = _measured(text)
    gateway = routing.choose(phone, gateway_name)
    now = timezone.now()
    message = Message.objects.create(
        kind=kind,
        priority=retries.RULES[kind].priority,
        phone=phone,
        recipient_label=recipient_label,
        gateway=gateway,
        text=text,
        masked_text=masked_text,
        encoding=measure.encoding,
        segments=measure.segments,
        requested_by=requested_by,
        created=now,
        due_at=now,
        valid_until=retries.valid_until(kind, now),
    )
    transaction.on_commit(partial(tasks.ring_for, message.pk, gateway.pk))
    return message


def _measured(text: str) -> texts.Measure:
    if not text.strip():
        raise Refusal(_("The text is empty; write what the guest shall read."), field="text")
    measure = texts.measure(text)
    if measure.segments > settings.MAX_SEGMENTS:
        sentence = _("The text needs %(needed)s SMS segments and at most %(most)s are allowed; shorten it.")
        raise Refusal(sentence % {"needed": measure.segments, "most": settings.MAX_SEGMENTS}, field="text")
    return measure


@transaction.atomic
def resend(message: Message, *, requested_by: User | None) -> Message:
    """Sends an unsuccessful message again, as a new one that names it. Its text moves along, so it happens once.

    Raises Refusal (conflict) where it was sent again before, is not at a bad end or its text is no longer kept.
    """
    message = Message.objects.select_for_update(of=("self",)).select_related("gateway").get(pk=message.pk)
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
        gateway_name=message.gateway.name,
        requested_by=requested_by,
        masked_text=message.masked_text,
        recipient_label=message.recipient_label,
    )
    again.link_to(message)
    return again


def cancel(message: Message) -> None:
    """Takes back a message that no worker has taken. Raises Refusal (conflict) where it is too late."""
    if not message.cancel():
        state = Message.objects.values_list("state", flat=True).get(pk=message.pk)
        sentence = _("Message %(id)s is %(state)s; only one that is queued or held can be cancelled.")
        raise Refusal(sentence % {"id": message.pk, "state": state}, why=Why.CONFLICT)
