"""SMSmobileAPI's calls that send: `/sendsms/`, `/resend/` and `/deletesms/`, and what all its calls share.

Its documentation: https://smsmobileapi.com/doc/, https://github.com/SmsMobileApi/smsmobileapi-openapi. What its numbers
of errors mean and how it answers a resend is not public; here they are those of our own API.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from messaging import forgetting, sending
from messaging.dropin import fields
from messaging.dropin.carried import Carried
from messaging.dropin.door import DropInView, Fault, Fields, GatewayFields, still_to_come
from messaging.dropin.numbers import phone_of
from messaging.guids import guid_of, id_in
from messaging.models import Door, Message, State
from messaging.retries import Kind
from portal import clock
from portal.api.commit import Done
from portal.api.views import Ref
from portal.errors import Refusal, Why
from portal.permissions import SENDING
from portal.ways import DropIn

YES, NO = frozenset({"1", "yes", "true", "on"}), frozenset({"0", "no", "false", "off"})
#: Seconds, and what is told where they are none: milliseconds have more digits.
MOMENT = r"^[0-9]{1,11}$"
NO_MOMENT = "Give seconds of UNIX time, such as 1795348800."
WHATSAPP_ONLY = "This portal sends SMS and nothing else: a message for WhatsApp alone is not sent."
#: What the documentation calls an error in the call, a key that is not good, and an error of the application.
BAD_CALLS, NOT_LET_IN, OF_APPLICATION = frozenset({400, 404, 415, 422}), frozenset({401, 403}), frozenset({409})


class SmsMobileApiView(DropInView):
    """A call of SMSmobileAPI."""

    system = DropIn.SMSMOBILEAPI
    tag = "SMSmobileAPI"
    who_calls = "Send a key as apikey, or a token as a Bearer."
    wire_names: ClassVar = {
        "phone": "recipients",
        "text": "message",
        "gateway": "sms_gateway",
        "schedule": "schedule_timestamp",
    }
    errors: ClassVar = {
        400: "A parameter is missing or wrong.",
        403: "The key is wrong, has expired, or its user lacks a right.",
        411: "The body comes in chunks, without a Content-Length.",
        413: "The body is too large.",
        429: "Too many sign-ins were refused from this host: it is blocked for the time in Retry-After.",
        503: "It cannot be done at the moment, and may be in a few minutes.",
    }
    error_shape: ClassVar = {
        "type": "object",
        "properties": {"error": {"type": "integer"}, "message": {"type": "string"}},
        "required": ["error", "message"],
    }

    def carried(self) -> Carried:
        return Carried(self._written(self.key_field))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"result": {"type": "object"}}

    def refuse(self, fault: Fault) -> HttpResponse:
        """In its documented ways: 400 for the call, 403 for the key, 429, and 200 with an error for what is refused."""
        sentence = f"{fault.field}: {fault.sentence}" if fault.field else fault.sentence
        if fault.status in OF_APPLICATION:
            return result({"error": fault.status, "sent": "0", "note": sentence})
        status = 400 if fault.status in BAD_CALLS else 403 if fault.status in NOT_LET_IN else fault.status
        return JsonResponse({"error": fault.status, "message": sentence}, status=status)

    def message_called(self, guid: str) -> Message:
        """The message of the caller's with this guid. Raises Refusal."""
        key = id_in(guid)
        found = self.own_messages().filter(pk=key).first() if key else None
        if found is None:
            raise Refusal("There is no message with this guid.", field="guid", why=Why.NOT_FOUND)
        return found


class SmsMobileApiSendFields(GatewayFields):
    """What `/sendsms/` may carry; the rest of what is documented there is passed over."""

    recipients = serializers.CharField(max_length=50, trim_whitespace=False, style={"placeholder": "+79161234567"})
    message = serializers.CharField(max_length=20_000, trim_whitespace=False)
    schedule_timestamp = fields.shaped(MOMENT, NO_MOMENT, help_text="Not before; seconds of UNIX time")
    sIdentifiant = fields.text(  # noqa: N815 — as it is spelled there
        max_length=100, help_text="The name of a gateway"
    )
    sendsms = fields.text(default="1")
    sendwa = fields.text(default="0")
    waonly = fields.text(default="no")


GUID_EXAMPLE = "0000000000000011dcb8ed5e4d2d4c97fca19be5"
SEND_EXAMPLE = {
    "result": {
        "error": 0, "sent": "1", "id": GUID_EXAMPLE, "note": "accepted",
        "datetime": "2026-11-22T12:00:00Z", "datetimeLocal": "2026-11-22T15:00:00+03:00", "port": None,
        "iac_control": "1", "iac_authorized": "1", "send_with_whatsapp": "0", "encrypted": {"status": "0"},
        "trial_account": {"status": "0", "sms_sent": 0},
    }
}  # fmt: skip


class SendSms(SmsMobileApiView):
    """Send a text, as SMSmobileAPI's `/sendsms/` does.

    With an error of 0 the message is accepted, and its fate will be on record. WhatsApp is not spoken here: what asks
    for both gets an SMS, what asks for WhatsApp alone is refused.
    """

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
    guesses: ClassVar = True
    parameters: ClassVar = {"GET": (SmsMobileApiSendFields,)}
    inputs: ClassVar = {"POST": SmsMobileApiSendFields}
    call_shown: ClassVar = {"recipients": "+79161234567", "message": "Wi-Fi is back"}
    answer_shown: ClassVar = SEND_EXAMPLE

    def get(self, request: Request) -> HttpResponse:
        """Send a text, as SMSmobileAPI's `/sendsms/` does."""
        asked = self.validated(SmsMobileApiSendFields)
        if asked["waonly"].lower() in YES or asked["sendsms"].lower() in NO:
            raise Refusal(WHATSAPP_ONLY)
        wish: dict[str, Any] = {
            "phone": phone_of(asked["recipients"]),
            "text": asked["message"],
            # Not by `from`, which says what calls: the vendor's Python client adds from=python to every call.
            "gateway_name": asked["sms_gateway"] or asked["sIdentifiant"],
            "door": Door.SMSMOBILEAPI,
        }
        due_at = _not_before(asked["schedule_timestamp"])
        if due_at is None:
            return accepted(self.accept(lambda message: Done(told_of(message)), **wish))
        return accepted(self.once(lambda: self._send_later(due_at, wish)))

    post = get

    def _send_later(self, due_at: datetime, wish: dict[str, Any]) -> Done:
        terms: dict[str, Any] = {"kind": Kind.INFORMATION, "requested_by": self.caller}
        message = sending.send(**wish, **terms, due_at=still_to_come(due_at))
        return Done(told_of(message), object_id=str(message.pk))


class SmsMobileApiGuidFields(Fields):
    """A message, by its guid."""

    guid = serializers.CharField(max_length=64)


class ResendSms(SmsMobileApiView):
    """Send a message again that is in error, as SMSmobileAPI's `/resend/` does.

    It is a new message with a guid of its own. What may have arrived is not in error and not sent again.
    """

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
    parameters: ClassVar = {"GET": (SmsMobileApiGuidFields,)}
    inputs: ClassVar = {"POST": SmsMobileApiGuidFields}
    call_shown: ClassVar = {"guid": GUID_EXAMPLE}
    answer_shown: ClassVar = SEND_EXAMPLE

    def get(self, request: Request) -> HttpResponse:
        """Send a message again that is in error, as SMSmobileAPI's `/resend/` does."""
        asked = self.validated(SmsMobileApiGuidFields)
        return accepted(self.once(lambda: self._resend(asked["guid"])))

    post = get

    def _resend(self, guid: str) -> Done:
        former = self.message_called(guid)
        if former.state == State.UNRESOLVED:
            raise Refusal("Nobody knows whether this message arrived; a person decides.", why=Why.CONFLICT)
        again = sending.resend(former, requested_by=self.caller, door=Door.SMSMOBILEAPI)
        return Done(told_of(again), object_id=str(former.pk))


class DeleteSms(SmsMobileApiView):
    """Take an ended message off its provider's own log.

    SMSmobileAPI's document says that there is such a call, and not where; this address is ours.
    """

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
    parameters: ClassVar = {"GET": (SmsMobileApiGuidFields,)}
    inputs: ClassVar = {"POST": SmsMobileApiGuidFields}
    call_shown: ClassVar = {"guid": GUID_EXAMPLE}
    answer_shown: ClassVar = {"result": {"error": 0, "deleted": "1"}}

    def get(self, request: Request) -> HttpResponse:
        """Take an ended message off its provider's own log."""
        message = self.message_called(self.validated(SmsMobileApiGuidFields)["guid"])
        self.audit_object = str(message.pk)
        forgetting.forget(message, by=self.caller)
        return result({"error": 0, "deleted": "1"})

    post = get


def result(told: dict[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
    """An answer, in the object that holds them all."""
    return JsonResponse({"result": told}, status=status)


def accepted(told: dict[str, Any]) -> HttpResponse:
    """The answer with what `told_of` gave, once the message has its key, from which its guid follows."""
    return result(told | {"id": guid_of(told["id"])})


def told_of(message: Message) -> dict[str, Any]:
    """What is told of a message that is accepted; one that will not be sent says why. Its key stands for its guid."""
    suppressed = message.state == State.SUPPRESSED
    return {
        "error": "suppressed" if suppressed else 0,
        "sent": "0" if suppressed else "1",
        "id": message.pk,
        "note": message.reason if suppressed else "accepted",
        "datetime": message.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datetimeLocal": timezone.localtime(message.created).isoformat(timespec="seconds"),
        "port": None,
        "iac_control": "1",
        "iac_authorized": "1",
        "send_with_whatsapp": "0",
        "encrypted": {"status": "0"},
        "trial_account": {"status": "0", "sms_sent": 0},
    }


def _not_before(seconds: str) -> datetime | None:
    """When to send; None for at once, which a time that is over means as well. Raises Refusal."""
    if not seconds or int(seconds) <= clock.now().timestamp():
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        raise Refusal("This is no time.", field="schedule") from None
