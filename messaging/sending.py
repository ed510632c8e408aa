"""The one door by which messages are accepted, sent again and taken back. What happens later is delivery's."""

from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gateways import providers, routing
from gateways.models import Gateway
from messaging import opt_outs, phones, retries, tasks, texts
from messaging.models import RESENDABLE, Message, State
from messaging.retries import Kind
from portal import counting
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
    only_here: bool = False,
) -> Message:
    """Accepts one message: once this returns and its transaction commits, its fate will be on record.

    `phone` may be written in any usual way; `gateway_name` is the one to try first, empty: the default one;
    `masked_text` is what the portal shows of a text with a secret in it; `recipient_label` is a pid; `only_here` rules
    out any other gateway. Information for a phone that opted out is put on record and suppressed. Raises Refusal with
    the field `phone`, `text` or `gateway`.
    """
    phone = phones.normalise(phone)
    text = texts.tidy(text)
    measure = _measured(text)
    wanted = routing.named(gateway_name) if gateway_name else None
    gateway = routing.choose(phone, wanted or routing.default(), strict=only_here)
    _refuse_without_code(gateway, text)
    now = timezone.now()
    fate: dict[str, Any] = {"text": text, "due_at": now}
    if kind == Kind.INFORMATION and opt_outs.has_opted_out(phone):
        fate = _suppressed(now)
    message = Message.objects.create(
        kind=kind,
        priority=retries.RULES[kind].priority,
        phone=phone,
        recipient_label=recipient_label,
        gateway=gateway,
        wanted=wanted,
        only_here=only_here,
        masked_text=masked_text,
        encoding=measure.encoding,
        segments=measure.segments,
        requested_by=requested_by,
        created=now,
        valid_until=retries.valid_until(kind, now),
        **fate,
    )
    transaction.on_commit(partial(counting.add, "messages_accepted", gateway=gateway.pk, kind=kind))
    if message.state == State.QUEUED:
        transaction.on_commit(partial(tasks.ring_for, message.pk, gateway.pk))
    return message


def _suppressed(now: datetime) -> dict[str, Any]:
    """On record and at its end at once: nothing is sent, and the text is not kept."""
    return {"state": State.SUPPRESSED, "reason": opt_outs.REASON, "text": None, "due_at": None, "finished_at": now}


def _measured(text: str) -> texts.Measure:
    if not text.strip():
        raise Refusal(_("The text is empty; write what the guest shall read."), field="text")
    measure = texts.measure(text)
    if measure.segments > settings.MAX_SEGMENTS:
        sentence = _("The text needs %(needed)s SMS segments and at most %(most)s are allowed; shorten it.")
        raise Refusal(sentence % {"needed": measure.segments, "most": settings.MAX_SEGMENTS}, field="text")
    return measure


def _refuse_without_code(gateway: Gateway, text: str) -> None:
    """A provider that makes the one-time code itself sends nothing else."""
    placeholder = _placeholder(gateway)
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
    )


def _test_text(gateway: Gateway) -> str:
    text = _("%(portal)s: a test of gateway %(name)s") % {"portal": settings.PORTAL_NAME, "name": gateway.name}
    return f"{text} {_placeholder(gateway)}".strip()


def _placeholder(gateway: Gateway) -> str:
    """What stands for the code that its provider makes; asked of the class, because every message asks."""
    provider = providers.find(gateway.provider)
    return provider.code_placeholder if provider else ""


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
        only_here=message.only_here,
    )
    again.link_to(message)
    return again


def risk_of_resending(message: Message) -> str:
    """What must be known to whoever sends this message again; empty where it cannot have arrived."""
    if message.state != State.UNRESOLVED:
        return ""
    return _("The first one may have been delivered, so that two copies may arrive.")


def cancel(message: Message) -> None:
    """Takes back a message that no worker has taken. Raises Refusal (conflict) where it is too late."""
    if not message.cancel():
        state = Message.objects.values_list("state", flat=True).get(pk=message.pk)
        sentence = _("Message %(id)s is %(state)s; only one that is queued or held can be cancelled.")
        raise Refusal(sentence % {"id": message.pk, "state": state}, why=Why.CONFLICT)
