"""What may be asked in XML about what was sent and about the account: states, balance, senders, the time, what came in.

Source: the SMSGate platform's XML API, «Запрос статуса», «Запрос баланса», «Список отправителей», «Текущее время»,
«Входящие SMS».
"""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from gateways import xml
from messaging.dropin.targetsms import documents, known
from messaging.dropin.targetsms.known import RIGHTS, Errand, InboundTold, StateTold
from messaging.dropin.targetsms.view import SECURITY, TEXT, XmlView, element_shape, several, shown
from portal.permissions import Right


class Question(XmlView):
    """A call that changes nothing."""

    audited: ClassVar = False


class States(Question):
    """Tell where messages are.

    Own messages, or all for who may read messages; an id that is not known is left out. `send`: no more is known yet.
    `partly_deliver`: it was handed over and no receipt will come, or nobody can tell whether it was.
    """

    rights: ClassVar = {"POST": RIGHTS[Errand.STATE]}
    asks: ClassVar = {"get_state": element_shape(id_sms=several(TEXT))}
    tells: ClassVar = {"state": several(element_shape(attributes=("id_sms", "time", "num_parts", "price")))}
    call_shown: ClassVar = shown(f"{SECURITY}<get_state><id_sms>17</id_sms></get_state>")
    answer_shown: ClassVar = shown(
        '<state id_sms="17" time="2026-12-01 12:57:46" num_parts="2" price="3.50">deliver</state>', "response"
    )

    def needed_rights(self, request: Request) -> tuple[Right, ...] | None:
        """Who may send asks about what they sent."""
        return known.rights_for(Errand.STATE, request.user)

    def post(self, request: Request) -> HttpResponse:
        """The state of each message, its parts, and what one of them cost where that is known."""
        named = documents.needed(self.document, "get_state").findall("id_sms")
        found = known.states(self.own_messages(), [documents.text_of(one) for one in named])
        return documents.answer(*map(_state, found))


class Balance(Question):
    """Tell what is left on the account of the default gateway, as its provider said last."""

    rights: ClassVar = {"POST": RIGHTS[Errand.BALANCE]}
    tells: ClassVar = {"money": element_shape(attributes=("currency",))}
    call_shown: ClassVar = shown(SECURITY)
    answer_shown: ClassVar = shown('<money currency="RUR">150.50</money>', "response")

    def post(self, request: Request) -> HttpResponse:
        """The money; an error where the provider has not told."""
        told = known.money(self.caller)
        return documents.answer(xml.element("money", told.value, currency=told.currency))


class Senders(Question):
    """Tell the senders, each of a gateway that is switched on."""

    rights: ClassVar = {"POST": RIGHTS[Errand.SENDERS]}
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
        senders = [xml.element("originator", name, state="completed") for name in known.senders(self.caller)]
        return documents.answer(xml.element("any_originator", "FALSE"), xml.element("list_originator", *senders))


class Time(Question):
    """Tell the time of day in the portal's time zone, in which times are read and written here."""

    rights: ClassVar = {"POST": RIGHTS[Errand.TIME]}
    tells: ClassVar = {"time": TEXT}
    call_shown: ClassVar = shown(SECURITY)
    answer_shown: ClassVar = shown("<time>15:34:05</time>", "response")

    def post(self, request: Request) -> HttpResponse:
        """Hours, minutes and seconds."""
        return documents.answer(xml.element("time", known.now().partition(" ")[2]))


class Inbound(Question):
    """Tell what people wrote, as it came in from one moment to another, both left out; the first 1000 of it.

    `phone` is the sender of the gateway by which it came. `date_receive` is when the portal heard of it, which is later
    than when it was written: who asks for one period after the other would miss what was on its way between them. It is
    rounded up to a second, so that who goes on from the last one is told none again; and without an end, what is
    younger than five seconds is told later.
    """

    rights: ClassVar = {"POST": RIGHTS[Errand.INBOUND]}
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
        found = known.inbound(self.caller, period.get("start", ""), period.get("end", ""))
        return documents.answer(*map(_sms, found))


def _state(told: StateTold) -> xml.Element:
    return xml.element(
        "state", told.state, id_sms=told.id_sms, time=told.time, num_parts=told.num_parts, price=told.price
    )


def _sms(told: InboundTold) -> xml.Element:
    return xml.element(
        "sms",
        told.text_sms,
        id_sms=told.id_sms,
        date_receive=told.date_receive,
        originator=told.originator,
        prefix=told.prefix,
        phone=told.phone,
    )
