"""`/xml/`: texts for many phones in one document, each answered by itself.

Source: the SMSGate platform's XML API, «Отправка сообщений».
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from gateways import xml
from messaging import sending
from messaging.dropin.door import Fault
from messaging.dropin.targetsms import documents, words
from messaging.dropin.targetsms.asked import Asked, Terms, asked_in
from messaging.dropin.targetsms.view import SECURITY, XmlView, element_shape, several, shown
from messaging.models import Batch, Door, Message, State
from messaging.retries import Kind
from messaging.sending import Faulty, Item, Known
from portal.api.commit import Done
from portal.errors import Refusal
from portal.permissions import SENDING

#: How many lots of SMS with the same terms one document may have: each is a batch.
MOST_LOTS = 100
#: What the platform calls a batch that has no name.
USUAL_TITLE = "Шлюз"
DOOR = Door.TARGETSMS

MESSAGE_SHAPE = element_shape(
    ("sender", "text", "translite", "name_delivery"),
    ("type",),
    abonent=several(element_shape(attributes=("phone", "number_sms", "client_id_sms", "time_send", "validity_period"))),
)

#: What became of one SMS: an accepted message, or why there is none.
Fate = Message | str
#: The SMS that are sent together, by their place in the document.
Lot = dict[int, Known]
Same = tuple[str, str, str]


class SendXml(XmlView):
    """Send texts to phones.

    One document may have several messages, each with several phones, 10,000 altogether. What is wrong with one stops no
    other. What is accepted is committed at once, before the answer. A `client_id_sms` that the same user has used
    before sends nothing and is answered with the earlier `id_sms`.
    """

    rights: ClassVar = {"POST": SENDING}
    asks: ClassVar = {"message": several(MESSAGE_SHAPE)}
    tells: ClassVar = {"information": several(element_shape(attributes=("number_sms", "id_sms", "parts")))}
    call_shown: ClassVar = shown(
        f'{SECURITY}<message type="sms"><sender>Hotel</sender><text>Wi-Fi is back</text>'
        '<abonent phone="79161234567" number_sms="1" client_id_sms="101" time_send="2026-12-01 12:34"/>'
        '<abonent phone="12" number_sms="2"/></message>'
    )
    answer_shown: ClassVar = shown(
        '<information number_sms="1" id_sms="17" parts="1">send</information>'
        f'<information number_sms="2">{words.NO_PHONE}</information>',
        "response",
    )

    def post(self, request: Request) -> HttpResponse:
        """Accept what can be accepted, and say of each SMS what became of it."""
        asked = self.asked
        # Nothing is locked yet while thousands of texts are looked at.
        known = sending.look_at([Item(one.phone, one.text, one.name) for one in asked])
        fates = self.once(partial(self._accept, known))["fates"]
        return documents.answer(*map(_information, asked, fates))

    @cached_property
    def asked(self) -> list[Asked]:
        """The SMS of the document. Raises Malformed and Told."""
        return asked_in(self.document)

    @property
    def body(self) -> dict[str, Any]:
        return {"sms": len(self.asked), "phones": [one.phone for one in self.asked]}

    def _accept(self, looked_at: Sequence[Known | Faulty]) -> Done:
        fates: dict[int, Fate] = {}
        good: Lot = {}
        for place, (one, found) in enumerate(zip(self.asked, looked_at, strict=True)):
            if one.error or isinstance(found, Faulty):
                fates[place] = one.error or words.OF_FIELD.get(getattr(found, "field", ""), words.CLOSED)
            else:
                good[place] = found
        first_of = self._first_of_the_same(good, fates)
        lots: dict[Terms, Lot] = defaultdict(dict)
        for place, known in good.items():
            if place not in fates and first_of.get(_same(known), place) == place:
                lots[self.asked[place].terms][place] = known
        if len(lots) > MOST_LOTS:
            raise documents.Told(words.TOO_MANY_TERMS.format(most=MOST_LOTS))
        for terms, lot in lots.items():
            fates |= self._send(terms, lot)
        fates |= {place: fates[first_of[_same(known)]] for place, known in good.items() if place not in fates}
        return self._done([fates[place] for place in range(len(self.asked))])

    def _first_of_the_same(self, good: Lot, fates: dict[int, Fate]) -> dict[Same, int]:
        """The place of the first of those that are the same; those whose name was used before get their fate now."""
        named = {place: known for place, known in good.items() if known.reference}
        before = sending.sent_as({known.reference for known in named.values()}, by=self.caller, door=DOOR)
        fates |= {
            place: _earlier(before[known.reference], known)
            for place, known in named.items()
            if known.reference in before
        }
        return {_same(known): place for place, known in reversed(named.items())}

    def _send(self, terms: Terms, lot: Lot) -> dict[int, Fate]:
        """What became of those that have the same terms: one alone, and without a title, is a message by itself."""
        common: dict[str, Any] = {
            "kind": Kind.INFORMATION,
            "gateway_name": self.gateway_called("", terms.sender),
            "requested_by": self.caller,
            "due_at": terms.due_at,
            "no_later": terms.no_later,
            "door": DOOR,
        }
        try:
            if len(lot) == 1 and not terms.title:
                ((place, one),) = lot.items()
                name = one.reference
                return {place: sending.send(phone=one.phone, text=one.text, caller_reference=name, **common)}
            batch = sending.send_many(list(lot.values()), name=terms.title or USUAL_TITLE, **common)
        except Refusal as refusal:
            # Phones and texts are good by now: a text that is refused here is one for a gateway that makes codes.
            return dict.fromkeys(lot, words.TOO_LATE if refusal.field == "schedule" else words.CLOSED)
        return _fates_in(batch, lot)

    def _done(self, fates: Sequence[Fate]) -> Done:
        accepted = [fate for fate in fates if isinstance(fate, Message)]
        if not accepted:
            self.fault = Fault(422, str(fates[0]))
        batches = {fate.batch_id for fate in accepted if fate.batch_id}
        named = [f"batch {key}" for key in sorted(batches)] or [str(fate.pk) for fate in accepted[:1]]
        return Done({"fates": fates}, object_id=", ".join(named))


def _same(known: Known) -> Same:
    """What is the same in two SMS of one document of which one is a repeat.

    The vendor's own plugin numbers the phones of each message anew: what goes to others has the same number there.
    """
    return known.reference, known.phone, known.text


def _earlier(sent: Sequence[Message], known: Known) -> Message:
    """Of several under one name the one to the same phone, else the first."""
    return next((one for one in sent if one.phone == known.phone), sent[0])


def _fates_in(batch: Batch, lot: Lot) -> dict[int, Fate]:
    """By the place of each; the messages of a batch are stored in its order, those of the same phone at least."""
    places = list(lot)
    fates: dict[int, Fate] = {places[one["place"] - 1]: words.CLOSED for one in batch.refused}
    stored: dict[tuple[str, str], deque[Message]] = defaultdict(deque)
    for message in Message.objects.filter(batch=batch).defer("text").order_by("pk"):
        stored[message.phone, message.caller_reference or ""].append(message)
    accepted = {place: known for place, known in lot.items() if place not in fates}
    return fates | {place: stored[one.phone, one.reference].popleft() for place, one in accepted.items()}


def _information(asked: Asked, fate: Fate) -> xml.Element:
    """Accepted, with what it is called here; or the error alone."""
    if isinstance(fate, str):
        return xml.element("information", fate, number_sms=asked.number)
    if fate.state == State.SUPPRESSED:
        return xml.element("information", words.STOPPED, number_sms=asked.number)
    return xml.element("information", words.SEND, number_sms=asked.number, id_sms=fate.pk, parts=fate.segments)
