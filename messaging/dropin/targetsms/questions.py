"""What may be asked about what was sent and about the account: states, balance, senders, the time, what came in.

Source: the SMSGate platform's XML API, «Запрос статуса», «Запрос баланса», «Список отправителей», «Текущее время»,
«Входящие SMS».
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from gateways import health, routing, xml
from gateways.models import Gateway
from messaging import sending
from messaging.dropin.targetsms import documents, times, words
from messaging.dropin.targetsms.view import SECURITY, TEXT, XmlView, element_shape, several, shown
from messaging.models import InboundMessage, Message, State
from messaging.whereabouts import NEVER_SENT
from portal import permissions
from portal.permissions import SENDING, Right, may

KEY = re.compile(r"[0-9]{1,18}", re.ASCII)
#: How many texts that came in one answer tells; who has more to read asks again from the last one on.
MOST_INBOUND = 1000
#: The platform's name of the rouble.
CURRENCIES = {"RUB": "RUR"}


class Question(XmlView):
    """A call that changes nothing."""

    audited: ClassVar = False


class States(Question):
    """Tell where messages are.

    Own messages, or all for who may read messages; an id that is not known is left out. `send`: no more is known yet.
    `partly_deliver`: it was handed over and no receipt will come, or nobody can tell whether it was.
    """

    rights: ClassVar = {"POST": (Right.MESSAGES_READ,)}
    asks: ClassVar = {"get_state": element_shape(id_sms=several(TEXT))}
    tells: ClassVar = {"state": several(element_shape(attributes=("id_sms", "time", "num_parts", "price")))}
    call_shown: ClassVar = shown(f"{SECURITY}<get_state><id_sms>17</id_sms></get_state>")
    answer_shown: ClassVar = shown(
        '<state id_sms="17" time="2026-12-01 12:57:46" num_parts="2" price="7.00">deliver</state>', "response"
    )

    def needed_rights(self, request: Request) -> tuple[Right, ...] | None:
        """Who may send asks about what they sent."""
        return SENDING if may(request.user, *SENDING) else super().needed_rights(request)

    def post(self, request: Request) -> HttpResponse:
        """The state of each message, its parts, and what they cost where that is known."""
        named = documents.needed(self.document, "get_state").findall("id_sms")
        if len(named) > sending.MOST:
            raise documents.Told(words.TOO_MANY_SMS.format(most=sending.MOST))
        written = (documents.text_of(one).strip() for one in named)
        # Each once, in the order in which they are asked for.
        keys = list(dict.fromkeys(int(one) for one in written if KEY.fullmatch(one)))
        found = self.own_messages().defer("text").in_bulk(keys)
        return documents.answer(*(_state(found[key]) for key in keys if key in found))


class Balance(Question):
    """Tell what is left on the account of the default gateway, as its provider said last."""

    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_READ,)}
    tells: ClassVar = {"money": element_shape(attributes=("currency",))}
    call_shown: ClassVar = shown(SECURITY)
    answer_shown: ClassVar = shown('<money currency="RUR">150.50</money>', "response")

    def post(self, request: Request) -> HttpResponse:
        """The money; an error where the provider has not told."""
        gateway = sending.wanted_gateway("", self.caller) or routing.default()
        known = health.of(gateway)
        if known.balance is None:
            raise documents.Told(words.UNKNOWN_BALANCE)
        currency = known.currency or gateway.currency
        return documents.answer(
            xml.element("money", f"{known.balance:f}", currency=CURRENCIES.get(currency, currency)),
        )


class Senders(Question):
    """Tell the senders, each of a gateway that is switched on."""

    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_READ,)}
    tells: ClassVar = {
        "any_originator": TEXT,
        "list_originator": element_shape(originator=several(element_shape(attributes=("state",)))),
    }
    call_shown: ClassVar = shown(SECURITY)
    answer_shown: ClassVar = shown(
        "<any_originator>FALSE</any_originator><list_originator>"
        '<originator state="completed">Hotel</originator></list_originator>',
        "response",
    )

    def post(self, request: Request) -> HttpResponse:
        """Their names; a gateway without a sender has its own."""
        rows = Gateway.objects.filter(enabled=True)
        own = [one for one in rows if permissions.may_use_gateway(self.caller, one.pk)]
        names = dict.fromkeys(one.sender or one.name for one in own)
        senders = [xml.element("originator", name, state="completed") for name in names]
        return documents.answer(xml.element("any_originator", "FALSE"), xml.element("list_originator", *senders))


class Time(Question):
    """Tell the time of day in the portal's time zone, in which times are read and written here."""

    rights: ClassVar = {"POST": ()}
    tells: ClassVar = {"time": TEXT}
    call_shown: ClassVar = shown(SECURITY)
    answer_shown: ClassVar = shown("<time>15:34:05</time>", "response")

    def post(self, request: Request) -> HttpResponse:
        """Hours, minutes and seconds."""
        return documents.answer(xml.element("time", times.local(timezone.now()).partition(" ")[2]))


class Inbound(Question):
    """Tell what people wrote, as it came in from one moment to another, both left out; the first 1000 of it.

    `phone` is the sender of the gateway by which it came. `date_receive` is when the portal heard of it, which is later
    than when it was written: who asks for one period after the other would miss what was on its way between them.
    """

    rights: ClassVar = {"POST": (Right.MESSAGES_READ,)}
    asks: ClassVar = {"time": element_shape(attributes=("start", "end"))}
    tells: ClassVar = {
        "sms": several(element_shape(attributes=("id_sms", "date_receive", "originator", "prefix", "phone")))
    }
    call_shown: ClassVar = shown(f'{SECURITY}<time start="2026-12-01 12:00:00" end="2026-12-01 13:00:00"/>')
    answer_shown: ClassVar = shown(
        '<sms id_sms="5" date_receive="2026-12-01 12:34:00" originator="79161234567" prefix="" phone="Hotel">'
        "STOP</sms>",
        "response",
    )

    def post(self, request: Request) -> HttpResponse:
        """Each text with who wrote it and when."""
        period = documents.needed(self.document, "time")
        start, end = _moment(period.get("start", "")), _moment(period.get("end", ""))
        if start is None:
            raise documents.Told(words.BAD_PERIOD)
        rows = InboundMessage.objects.select_related("gateway").filter(received_at__gt=start)
        rows = rows.filter(received_at__lt=end) if end else rows
        rows = rows.filter(permissions.of_its_gateways(self.caller, "gateway"))
        return documents.answer(*map(_inbound, rows.order_by("received_at", "pk")[:MOST_INBOUND]))


def _state(message: Message) -> xml.Element:
    word = words.OF_STATE[State(message.state)]
    at = message.finished_at if word != words.SEND else None
    return xml.element(
        "state",
        word,
        id_sms=message.pk,
        time=times.local(at) if at else "",
        num_parts=message.segments,
        price=_price(message),
    )


def _price(message: Message) -> str | None:
    """What it cost, by the price of its gateway; nothing is told where that is not known."""
    if message.state in NEVER_SENT:
        return "0.00"
    price = message.gateway.segment_price
    return None if price is None else f"{(price * message.segments).quantize(Decimal('0.01')):f}"


def _inbound(inbound: InboundMessage) -> xml.Element:
    return xml.element(
        "sms",
        inbound.text,
        id_sms=inbound.pk,
        date_receive=times.local(inbound.received_at),
        originator=inbound.phone.lstrip("+"),
        prefix="",
        phone=inbound.gateway.sender,
    )


def _moment(written: str) -> datetime | None:
    """Raises Told."""
    try:
        return times.moment(written)
    except ValueError:
        raise documents.Told(words.BAD_PERIOD) from None
