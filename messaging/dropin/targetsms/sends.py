"""`/xml/`: texts for many phones in one document, each answered by itself.

Source: the SMSGate platform's XML API, «Отправка сообщений».
"""

from collections.abc import Iterator
from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from gateways import xml
from messaging.dropin.targetsms import documents, words
from messaging.dropin.targetsms.asked import Asked, Written
from messaging.dropin.targetsms.fates import Fate, Sends, outcome
from messaging.dropin.targetsms.view import SECURITY, XmlView, element_shape, several, shown
from portal.permissions import SENDING

MESSAGE_SHAPE = element_shape(
    ("sender", "text", "translite", "name_delivery"),
    ("type",),
    abonent=several(element_shape(attributes=("phone", "number_sms", "client_id_sms", "time_send", "validity_period"))),
)


#: Of one SMS; its `number_sms` may be absent.
OF_ONE = ("phone", "client_id_sms", "time_send", "validity_period")


class SendXml(Sends, XmlView):
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
        return documents.answer(*map(_information, self.asked, self.fates()))

    def written(self) -> list[Written]:
        return [one for message in self.document.findall("message") for one in _written_in(message)]


def _written_in(message: xml.Element) -> Iterator[Written]:
    # Two characters stand for a line break, which a document should not have.
    text = documents.text_of(documents.one(message, "text")).replace("\\n", "\n")
    sender, title = (documents.text_of(documents.one(message, name)) for name in ("sender", "name_delivery"))
    for abonent in message.findall("abonent"):
        phone, client_id, time_send, validity_period = (str(abonent.get(name, "")) for name in OF_ONE)
        number, kind = abonent.get("number_sms"), message.get("type", "")
        yield Written(phone, text, sender, title, number, client_id, time_send, validity_period, kind)


def _information(asked: Asked, fate: Fate) -> xml.Element:
    """Accepted, with what it is called here; or the error alone."""
    message, said = outcome(fate)
    if message is None:
        return xml.element("information", said, number_sms=asked.number)
    return xml.element("information", said, number_sms=asked.number, id_sms=message.pk, parts=message.segments)
