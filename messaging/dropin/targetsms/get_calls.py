"""`/sendsms.php`: a text, the state of one, or the balance, by an address or a form, and answered in plain text.

Source: the SMSGate platform's HTTP GET API, https://github.com/smsgate/httpGateDoc; its times are those of hosts that
document them, as https://apidocs.webcom.mobi/ru2/type/specifikaciya-http-get/otpravka-sms does.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from messaging.dropin import fields
from messaging.dropin.door import Fault, Fields
from messaging.dropin.numbers import spelled
from messaging.dropin.targetsms import known, words
from messaging.dropin.targetsms.asked import Written, refuse_too_many
from messaging.dropin.targetsms.documents import Told
from messaging.dropin.targetsms.errands import Errands
from messaging.dropin.targetsms.fates import outcome
from messaging.dropin.targetsms.known import Errand
from messaging.models import Message
from messaging.sending import Faulty, Known
from portal.api.authentication.refusals import PasswordInUrl
from portal.api.commit import Done
from portal.api.repeats import refuse_again
from portal.api.views import Ref
from portal.errors import Refusal

PLAIN = "text/plain; charset=utf-8"
#: For so long the same call is refused again, as there: nothing else tells a repeat from another message.
REFUSED_AGAIN = timedelta(minutes=1)
#: What makes another call of one to the same phones.
SAYS_WHAT = ("text", "sadr", "name_delivery", "time_send", "validity_period")


class Repeated(Told):
    """409: the same call was made a moment ago."""

    status_code = 409
    default_detail = words.REPEATED


class TargetSmsFields(Fields):
    """What `/sendsms.php` may carry; the rest of what is documented there is passed over."""

    sadr = fields.text(help_text="The name of a gateway, or the sender of one")
    dadr = fields.text(style={"placeholder": "79161234567,79161234568"}, help_text="Phones with commas between them")
    text = fields.text(trim_whitespace=False)
    name_delivery = fields.text(help_text="The name of a batch")
    time_send = fields.text(style={"placeholder": "2026-12-01 12:34"}, help_text="When to send it")
    validity_period = fields.text(help_text="The time after which it is not sent")
    smsid = fields.text(help_text="Instead: the id of a message whose state is asked for")
    balance = fields.text(help_text="Instead, with a 1: what is left")


class GetCall(Errands):
    """Send a text, or tell the state of one (`smsid`) or the balance (`balance=1`), in plain text.

    A text is answered with its id, several with commas between them; one that is not accepted has its error there. The
    same text to the same phones is refused for a minute. A state and the balance are for who has the rights that the
    same call in XML needs.
    """

    name_field, password_field = "user", "pwd"
    gives: ClassVar = "text/plain"
    worded: ClassVar = words.OF_STATUS_IN_FIELDS
    error_shape: ClassVar[Mapping[str, Any]] = {"type": "string"}
    parameters: ClassVar = {"GET": (TargetSmsFields,)}
    inputs: ClassVar = {"POST": TargetSmsFields}
    call_shown: ClassVar = {"sadr": "Hotel", "dadr": "79161234567,79161234568", "text": "Wi-Fi is back"}
    answer_shown: ClassVar = "17,18"

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any]:
        return dict(self.error_shape)

    def get(self, request: Request) -> HttpResponse:
        """Send a text, or tell the state of one (`smsid`) or the balance (`balance=1`), in plain text."""
        return HttpResponse(ANSWERS[self.errand](self), PLAIN)

    post = get

    def error(self, said: str, status: int) -> HttpResponse:
        return HttpResponse(said, PLAIN, status)

    def said_of(self, fault: Fault) -> str:
        in_address = fault.sentence == str(PasswordInUrl.default_detail)
        return words.PASSWORD_IN_ADDRESS if in_address else super().said_of(fault)

    @property
    def errand(self) -> Errand:
        """Raises BadCall."""
        if self.fields.get("smsid"):
            return Errand.STATE
        return Errand.BALANCE if self.fields.get("balance") == "1" else Errand.SMS

    @property
    def body(self) -> dict[str, Any]:
        return dict(self.fields)

    def written(self) -> list[Written]:
        """One for each phone; where there is none, one that says so. Raises BadCall and Told."""
        text, sender, title = (self.fields.get(name, "") for name in ("text", "sadr", "name_delivery"))
        times = {name: self.fields.get(name, "") for name in ("time_send", "validity_period")}
        phones = [phone for phone in self.fields.get("dadr", "").split(",") if phone.strip()]
        refuse_too_many(phones)
        # With the plus that a space here may stand for: elsewhere a space is nothing.
        each_once = dict.fromkeys(map(spelled, phones))
        return [Written(phone, text, sender, title, **times) for phone in each_once or [""]]

    def _accept(self, looked_at: Sequence[Known | Faulty]) -> Done:
        """As everywhere, but that what is refused as a whole leaves nothing. Raises Told."""
        rest = [self.fields.get(name, "").strip() for name in SAYS_WHAT]
        said = json.dumps([[one.phone for one in self.asked], *rest])
        try:
            refuse_again(self, hashlib.sha256(said.encode()).hexdigest(), REFUSED_AGAIN)
        except Refusal:
            raise Repeated from None
        done = super()._accept(looked_at)
        if not any(isinstance(fate, Message) for fate in done.body["fates"]):
            raise Told(",".join(done.body["fates"]))
        return done


def _sms(view: GetCall) -> str:
    return ",".join(str(message.pk) if message else said for message, said in map(outcome, view.fates()))


def _state(view: GetCall) -> str:
    found = known.states(view.own_messages(), [view.fields["smsid"]])
    if not found:
        raise Told(words.UNKNOWN_ID)
    return found[0].state


def _balance(view: GetCall) -> str:
    money = known.money(view.caller)
    return f"{money.value} {money.currency}"


ANSWERS: Mapping[Errand, Callable[[GetCall], str]] = {
    Errand.SMS: _sms,
    Errand.STATE: _state,
    Errand.BALANCE: _balance,
}
