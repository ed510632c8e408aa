"""`/password_generation/api.php`: the portal makes a one-time code, sends it and tells it to the program that asks.

Source: TargetSMS, «Руководство по взаимодействию … (СМС-авторизация)».
"""

from functools import partial
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from gateways import xml
from messaging import codes
from messaging.codes import Made
from messaging.dropin.door import Fault
from messaging.dropin.numbers import phone_of
from messaging.dropin.targetsms import documents, words
from messaging.dropin.targetsms.view import TEXT, XmlView, element_shape, shown
from messaging.models import Door
from portal.api.commit import Done
from portal.errors import Refusal, Why
from portal.permissions import SENDING

PLACE = "{код}"
USUAL_TEXT = f"Временный пароль: {PLACE}"
USUAL_DIGITS, FEWEST_DIGITS, MOST_DIGITS = 4, 4, 10


class GenerateCode(XmlView):
    """Make a one-time code and send it.

    The code is in the SMS and in this answer, and nowhere else: the portal does not keep it in readable form. It is
    sent at once or not at all: where no gateway can take it now, the status is `connection_error`.
    """

    rights: ClassVar = {"POST": SENDING}
    worded: ClassVar = {**words.OF_STATUS, 401: words.WRONG_LOGIN_FOR_CODES}
    asks: ClassVar = dict.fromkeys(("phone", "sender", "random_string_len", "text"), TEXT)
    tells: ClassVar = {"success": element_shape(attributes=("code", "id_sms", "status"))}
    call_shown: ClassVar = shown(
        "<security><login>hotel-desk</login><password>••••••••</password></security>"
        "<phone>+79161234567</phone><sender>Hotel</sender><random_string_len>6</random_string_len>"
        "<text>Hotel: {код}</text>"
    )
    answer_shown: ClassVar = shown('<success code="••••••" id_sms="17" status="send"/>', "response")

    def post(self, request: Request) -> HttpResponse:
        """Send a code."""
        asked = self._asked()
        try:
            made: Made = self.once(partial(self._send, asked))["made"]
        except Refusal as refusal:
            return self._refused(refusal)
        return documents.answer(xml.element("success", code=made.code, id_sms=made.message.pk, status=words.SEND))

    @property
    def body(self) -> dict[str, Any]:
        named = {name: documents.text_of(documents.one(self.document, name)) for name in ("phone", "sender", "text")}
        return {**named, "random_string_len": documents.text_of(documents.one(self.document, "random_string_len"))}

    def _asked(self) -> dict[str, Any]:
        """Raises Told and Malformed."""
        asked = self.body
        text = asked["text"] if asked["text"].strip() else USUAL_TEXT
        if PLACE not in text:
            raise documents.Told(words.NO_PLACE)
        digits = asked["random_string_len"].strip() or str(USUAL_DIGITS)
        if not (digits.isascii() and digits.isdigit() and FEWEST_DIGITS <= int(digits[:9]) <= MOST_DIGITS):
            raise documents.Told(words.BAD_LENGTH.format(least=FEWEST_DIGITS, most=MOST_DIGITS))
        return {"phone": asked["phone"], "text": text, "digits": int(digits), "sender": asked["sender"].strip()}

    def _send(self, asked: dict[str, Any]) -> Done:
        made = codes.make(
            phone=phone_of(asked["phone"]),
            text=asked["text"],
            placeholder=PLACE,
            digits=asked["digits"],
            gateway_name=self.gateway_called("", asked["sender"]),
            requested_by=self.caller,
            door=Door.TARGETSMS,
        )
        return Done({"made": made}, object_id=str(made.message.pk))

    def _refused(self, refusal: Refusal) -> HttpResponse:
        """Gateways that are away, and a phone that is none, are told by a status. Raises the Refusal for all else."""
        if refusal.why is Why.UNAVAILABLE:
            self.fault, status = Fault(503, refusal.sentence), words.NO_CONNECTION
        elif refusal.field == "phone":
            self.fault, status = Fault(422, refusal.sentence), words.BAD_PHONE
        else:
            raise refusal
        return documents.answer(xml.element("success", code="", id_sms="", status=status))
