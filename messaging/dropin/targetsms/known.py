"""What is told of what was sent and of the account, and to whom, in whatever form a call wants it told.

Source: the SMSGate platform's XML and JSON APIs, «Запрос статуса», «Запрос баланса», «Список отправителей», «Текущее
время», «Входящие SMS».
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from gateways import health, routing
from gateways.models import Gateway
from messaging import sending
from messaging.dropin.targetsms import times, words
from messaging.dropin.targetsms.documents import Told
from messaging.models import InboundMessage, Message, State
from messaging.whereabouts import NEVER_SENT
from portal import clock, permissions
from portal.models import User
from portal.permissions import SENDING, Right, may

KEY = re.compile(r"[0-9]{1,18}", re.ASCII)
#: How many texts that came in one answer tells; who has more to read asks again from the last one on.
MOST_INBOUND = 1000
A_SECOND = timedelta(seconds=1)
#: A text is there to be told once its transaction has ended, and told by the time when that began: what is younger may
#: still get an elder one beside it, which a program that went on from the younger one would never hear of.
SETTLED = timedelta(seconds=5)
#: So far may a program's clock be ahead that asks until now; who asks until later goes on from the last text.
NEARLY_OVER = timedelta(minutes=1)
#: The platform's name of the rouble.
CURRENCIES = {"RUB": "RUR"}


class Errand(StrEnum):
    """What a call comes for; its value is the `type` of a call in JSON."""

    SMS = "sms"
    STATE = "state"
    BALANCE = "balance"
    SENDERS = "originator"
    INBOUND = "incoming"
    TIME = "time"


RIGHTS: Mapping[Errand, tuple[Right, ...]] = {
    Errand.SMS: SENDING,
    Errand.STATE: (Right.MESSAGES_READ,),
    Errand.BALANCE: (Right.SMS_GATEWAY_READ,),
    Errand.SENDERS: (Right.SMS_GATEWAY_READ,),
    Errand.INBOUND: (Right.MESSAGES_READ,),
    Errand.TIME: (),
}


def rights_for(errand: Errand, user: Any) -> tuple[Right, ...]:
    """Who may send asks about what they sent."""
    return SENDING if errand is Errand.STATE and may(user, *SENDING) else RIGHTS[errand]


class StateTold(NamedTuple):
    """Where a message is; `price` is that of one part, None where nobody knows it."""

    id_sms: int
    time: str
    state: str
    num_parts: int
    price: str | None


class MoneyTold(NamedTuple):
    """What is left."""

    currency: str
    value: str


class InboundTold(NamedTuple):
    """A text that came in; `phone` is the sender of the gateway by which it came."""

    id_sms: int
    date_receive: str
    originator: str
    prefix: str
    phone: str
    text_sms: str


def states(own: QuerySet[Message], named: Sequence[str]) -> list[StateTold]:
    """Of those of `own` that are named, each once, in the order in which they are asked for. Raises Told."""
    if len(named) > sending.MOST:
        raise Told(words.TOO_MANY_SMS.format(most=sending.MOST))
    keys = list(dict.fromkeys(int(one.strip()) for one in named if KEY.fullmatch(one.strip())))
    found = own.defer("text").in_bulk(keys)
    return [_state(found[key]) for key in keys if key in found]


def money(caller: User) -> MoneyTold:
    """What the provider of the default gateway said last. Raises Told where it has not, and Refusal."""
    gateway = sending.wanted_gateway("", caller) or routing.default()
    known = health.of(gateway)
    if known.balance is None:
        raise Told(words.UNKNOWN_BALANCE)
    currency = known.currency or gateway.currency
    return MoneyTold(CURRENCIES.get(currency, currency), f"{known.balance:f}")


def senders(caller: User) -> list[str]:
    """Those of gateways that are switched on; a gateway without a sender has its own name."""
    rows = Gateway.objects.filter(enabled=True)
    return list(dict.fromkeys(one.sender or one.name for one in rows if permissions.may_use_gateway(caller, one.pk)))


def now() -> str:
    """In the portal's time zone, in which times are read and written here."""
    return times.local(timezone.now())


def inbound(caller: User, start: str, end: str) -> Iterator[InboundTold]:
    """What came in between, both left out; without an `end` until now, or nearly. Raises Told.

    A program goes on from the last text that it was told. So `date_receive` is the end of the second in which a text
    came, not its begin, after which the same text would be told again; and of a second all is told or nothing.
    """
    first, last = _moment(start), _moment(end)
    if first is None:
        raise Told(words.BAD_PERIOD)
    rows = InboundMessage.objects.select_related("gateway").filter(_before(last), received_at__gt=first)
    rows = rows.filter(permissions.of_its_gateways(caller, "gateway")).order_by("received_at", "pk")
    return map(_inbound, _whole_seconds(rows))


def _before(end: datetime | None) -> Q:
    """What came before the end, in seconds that are over; one bound, for of two SQLite's index may take the later."""
    at = clock.now()
    # Who names an end that is over, or nearly, goes on from there, whatever was told.
    goes_on_from_end = end is not None and end <= at + NEARLY_OVER
    until = (at - (timedelta() if goes_on_from_end else SETTLED)).replace(microsecond=0)
    return Q(received_at__lt=end) if end and end <= until else Q(received_at__lte=until)


def _whole_seconds(rows: QuerySet[InboundMessage]) -> Sequence[InboundMessage]:
    """The first of the rows, so many of them as one answer tells; more only where they all came in one second."""
    found = list(rows[: MOST_INBOUND + 1])
    if len(found) <= MOST_INBOUND:
        return found
    last = _end_of_second(found[-1].received_at)
    whole = [row for row in found if _end_of_second(row.received_at) < last]
    return whole or list(rows.filter(received_at__lte=last))


def _end_of_second(at: datetime) -> datetime:
    """What has no part of a second is itself the end of one."""
    return (at + A_SECOND - timedelta.resolution).replace(microsecond=0)


def _state(message: Message) -> StateTold:
    word = words.OF_STATE[State(message.state)]
    at = message.finished_at if word != words.SEND else None
    return StateTold(message.pk, times.local(at) if at else "", word, message.segments, _price(message))


def _price(message: Message) -> str | None:
    """What one part cost, by the price of its gateway; nothing is told where that is not known."""
    if message.state in NEVER_SENT:
        return "0.00"
    price = message.gateway.segment_price
    return None if price is None else f"{price.quantize(Decimal('0.01')):f}"


def _inbound(sms: InboundMessage) -> InboundTold:
    at, phone = times.local(_end_of_second(sms.received_at)), sms.phone.lstrip("+")
    return InboundTold(sms.pk, at, phone, "", sms.gateway.sender, sms.text)


def _moment(written: str) -> datetime | None:
    """Raises Told."""
    try:
        return times.moment(written)
    except ValueError:
        raise Told(words.BAD_PERIOD) from None
