"""What people write to us: kept once, whether their provider calls or has to be asked, and obeyed where it is STOP."""

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gateways import health, providers, questions
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import GatewayFault, InboundSms, NotAccepted
from messaging import event_types, numbering_plans, opt_outs, phones, webhooks
from messaging.models import InboundMessage, Word
from portal import clock
from portal.errors import Refusal
from portal.models import User

logger = logging.getLogger(__name__)

#: How often a provider is asked.
FETCH_EVERY = timedelta(seconds=60)
#: What was written shortly before the last question may have reached the provider after it.
OVERLAP = timedelta(minutes=5)
#: How far back the first question of a gateway reaches.
FIRST_LOOK_BACK = timedelta(days=1)

MINUTE = timedelta(minutes=1)
#: Who was given what.
READ = InboundMessage.read_by.through
#: So many digits hold a country code; providers often leave out the plus before it.
WITH_COUNTRY_CODE = re.compile(r"[1-9][0-9]{10,14}", re.ASCII)


@transaction.atomic
def store(gateway: Gateway, said: Sequence[InboundSms]) -> int:
    """Keeps each text once, in whatever number of calls it comes, and obeys the new ones. Returns how many were new."""
    unknown = _unknown(gateway, said)
    # In one order everywhere, so that no two workers wait for each other.
    for row in sorted(unknown, key=lambda row: row.fingerprint):
        _keep(row)
    new = [row for row in unknown if row.pk]
    in_order = sorted(new, key=lambda row: row.at)
    for row in in_order:
        opt_outs.obey(row)
    webhooks.tell_all(event_types.RECEIVED, [_told(gateway, row) for row in in_order])
    return len(new)


def _told(gateway: Gateway, row: InboundMessage) -> dict[str, Any]:
    """As webhooks read it, in the words of the API's `inbound_message`."""
    as_they_are = ("opted", "reference", "at", "received_at")
    told = {"id": row.pk, "sms_gateway": gateway.name, "phone_number": row.phone, "message": row.text}
    return told | {name: getattr(row, name) for name in as_they_are}


def unread_by(rows: QuerySet[InboundMessage], reader: User) -> QuerySet[InboundMessage]:
    """Those of the rows that this user has not been given yet."""
    return rows.exclude(pk__in=READ.objects.filter(user=reader).values("inboundmessage"))


def mark_read(rows: Sequence[InboundMessage], reader: User) -> None:
    """This user was given these."""
    READ.objects.bulk_create((READ(inboundmessage=row, user=reader) for row in rows), ignore_conflicts=True)


def _unknown(gateway: Gateway, said: Sequence[InboundSms]) -> list[InboundMessage]:
    """Rows for the texts that are not on record yet, as they came."""
    now = clock.now()
    told_by = [(sms, _fingerprints(sms, now)) for sms in said]
    asked = {fingerprint for _sms, fingerprints in told_by for fingerprint in fingerprints}
    known = set(
        InboundMessage.objects.filter(gateway=gateway, fingerprint__in=asked).values_list("fingerprint", flat=True)
    )
    rows: dict[str, InboundMessage] = {}
    for sms, fingerprints in told_by:
        if known.isdisjoint(fingerprints):
            rows.setdefault(fingerprints[0], _row(gateway, sms, fingerprints[0], now))
    return list(rows.values())


def _fingerprints(sms: InboundSms, now: datetime) -> list[str]:
    """What tells the text from others: its own, and those under which a repeat may be on record already.

    The provider's id; else phone, text and time. Without a time, the same text within the same or the next minute
    counts as a repeat: a call that is made twice is much likelier than a guest who writes a thing twice.
    """
    if sms.reference:
        return [f"id {sms.reference}"]
    if sms.at:
        return [_digest(sms, sms.at)]
    minute = now.replace(second=0, microsecond=0)
    return [_digest(sms, minute), _digest(sms, minute - MINUTE)]


def _digest(sms: InboundSms, at: datetime) -> str:
    """Keyed, because a plain one would give short texts away to whoever reads the database."""
    content = f"{at.timestamp()}\n{sms.phone}\n{sms.text}"
    return salted_hmac("messaging.inbound", content, algorithm="sha256").hexdigest()


def _row(gateway: Gateway, sms: InboundSms, fingerprint: str, now: datetime) -> InboundMessage:
    phone = _spelled(sms.phone)
    return InboundMessage(
        gateway=gateway,
        phone=phone,
        text=sms.text,
        reference=sms.reference,
        fingerprint=fingerprint,
        opted=opt_outs.word_of(sms.text) if numbering_plans.E164.fullmatch(phone) else Word.NONE,
        at=_written_at(sms, now),
        received_at=now,
    )


def _written_at(sms: InboundSms, now: datetime) -> datetime:
    """A provider's clock that is ahead must not make a STOP outlast every later START."""
    if sms.at is None:
        return now
    return min(sms.at if timezone.is_aware(sms.at) else timezone.make_aware(sms.at), now)


def _spelled(written: str) -> str:
    """In E.164 where it is a phone; a network's short number or name stays as it is."""
    ways = [f"+{written}", written] if WITH_COUNTRY_CODE.fullmatch(written) else [written]
    for way in ways:
        try:
            return phones.normalise(way)
        except Refusal:
            continue
    return written


def _keep(row: InboundMessage) -> None:
    """Stores the row and gives it its id, unless another worker has stored it since we looked; that one obeys it."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row.pk = None


def due_to_fetch() -> list[int]:
    """Gateways whose provider has to be asked for what people wrote, and whose turn has come.

    Where a file says that it cannot be asked, its gateways are not opened to find out.
    """
    able = [name for name in providers.names() if _can_be_asked(name)]
    waiting = GatewayHealth.objects.filter(_due(clock.now()), gateway__enabled=True, gateway__provider__in=able)
    found = waiting.select_related("gateway").order_by("pk")
    return [one.pk for one in found if not health.is_untried(one.gateway, one)]


def _can_be_asked(name: str) -> bool:
    provider = providers.find(name)
    return provider is not None and provider.can_fetch_inbound


def _due(now: datetime) -> Q:
    """Not asked for a while, not paused, and its credentials not refused."""
    before = now - FETCH_EVERY
    return (
        (Q(inbound_at=None) | Q(inbound_at__lte=before))
        & (Q(open_until=None) | Q(open_until__lte=now))
        & Q(refused_at=None)
    )


def fetch(gateway_id: int) -> int:
    """Asks one provider what people wrote since it last told us. Returns how many texts were new.

    One worker does; for the others it has just been asked. Where no answer comes, the next question reaches back as
    far as this one.
    """
    found = GatewayHealth.objects.select_related("gateway").get(pk=gateway_id)
    gateway, heard, now = found.gateway, found.inbound_heard_at, clock.now()
    taken = GatewayHealth.objects.filter(_due(now), pk=gateway_id).update(inbound_at=now)
    if not taken or not gateway.abilities().can_fetch_inbound:
        return 0
    since = heard - OVERLAP if heard else now - FIRST_LOOK_BACK
    try:
        said = questions.ask(
            gateway,
            lambda provider: provider.fetch_inbound(since),
            lambda provider, response: provider.read_inbound(response),
        )
        new = store(gateway, said)
    except Exception as error:  # noqa: BLE001 — a provider's file, its settings or the network may fail in any way
        logger.warning("gateway %s: no inbound messages (%s)", gateway_id, type(error).__name__)
        if not isinstance(error, GatewayFault):
            # A fault is told by whoever asked.
            reason = error.reason if isinstance(error, NotAccepted) else type(error).__name__
            health.record_error(gateway_id, f"it could not be asked for inbound messages: {reason}")
        return 0
    GatewayHealth.objects.filter(pk=gateway_id).update(inbound_heard_at=now)
    return new
