"""The collection `messages`: where each message is on its journey, why it waits, sending again and taking back."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import forgetting, known_gateways, sending, timeline, waiting
from messaging.api.fields import PhoneText
from messaging.api.message_shapes import AttemptShape, EntryShape, ReceiptShape, WaitsShape
from messaging.models import Attempt, DeliveryEvent, Door, Message, State, Wait
from messaging.retries import Kind
from portal.api import parameters
from portal.api.collection import ListView, OneView, ReadView, SearchView
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.resources import Column, Resource, choice, moment, number, shown, text
from portal.api.views import Example, Ref
from portal.permissions import SENDING, Right, may_use_gateway

EXAMPLE = {
    "id": 17, "state": "delivered", "kind": "credentials", "phone_number": "+79161234567", "pid": "guest1",
    "sms_gateway": "sandbox", "asked_gateway": None, "segments": 1, "encoding": "UCS-2", "reference": "17",
    "reason": "",
    "created": "2026-11-22T12:00:00Z", "valid_until": "2026-11-23T12:00:00Z",
    "submitted_at": "2026-11-22T12:00:01Z", "finished_at": "2026-11-22T12:00:02Z", "resend_of": None,
    "batch": None, "caller_reference": None,
}  # fmt: skip

#: What lists and sends say of a message: never its text.
MESSAGES = Resource(
    singular="message",
    key="id",
    rows=lambda: Message.objects.defer("text").select_related("gateway", "wanted"),
    # One that another gateway stands in for is still the caller's own.
    gateways=("gateway", "wanted"),
    told=known_gateways.with_names,
    ordering=("-id",),
    columns={
        "id": number("id"),
        "state": choice("state", State.values),
        "kind": choice("kind", Kind.values),
        "phone_number": Column("phone", PhoneText(allow_blank=True)),
        "pid": text("recipient_label"),
        "sms_gateway": text("known_gateway"),
        "asked_gateway": text("known_wanted", nullable=True),
        "segments": number("segments"),
        "encoding": text("encoding"),
        "reference": text("reference"),
        "reason": text("known_reason"),
        "created": moment("created"),
        "valid_until": moment("valid_until"),
        "submitted_at": moment("submitted_at", nullable=True),
        "finished_at": moment("finished_at", nullable=True),
        "resend_of": number("resend_of_id", nullable=True),
        "batch": number("batch_id", nullable=True),
        "caller_reference": text("caller_reference", nullable=True),
    },
    example=EXAMPLE,
)

WHOLE_EXAMPLE = EXAMPLE | {
    "message": "Guest Wi-Fi: user name guest1, password ••••••••",
    "text_kept_until": None,
    "waits": None,
    "attempts": [
        {
            "sms_gateway": "sandbox", "started_at": "2026-11-22T12:00:01Z", "finished_at": "2026-11-22T12:00:01Z",
            "outcome": "accepted", "reference": "17", "detail": "", "exchange": {"status": 200, "body": "{}"},
        }
    ],
    "receipts": [
        {"reference": "17", "state": "delivered", "detail": "", "at": None, "received_at": "2026-11-22T12:00:02Z"}
    ],
    "timeline": [
        {
            "at": "2026-11-22T12:00:00Z", "what": "accepted", "message": "Accepted", "detail": "the API",
            "sms_gateway": "sandbox", "by": "hotel-desk", "until": None, "seconds": None,
        }
    ],
}  # fmt: skip


def _waits(message: Message) -> dict[str, Any] | None:
    found = waiting.why(message)
    is_known = may_use_gateway(known_gateways.reader_of(message), message.gateway_id)
    if found and found.reason == Wait.GATEWAY and not is_known:
        # What ails another one is not told, still less as if the one that was asked for had it.
        found = waiting.Waiting(Wait.GATEWAY, Wait.GATEWAY.label, None)
    return {"reason": found.reason, "message": str(found.sentence), "until": found.until} if found else None


def _timeline(message: Message) -> list[dict[str, Any]]:
    return [_entry(entry) for entry in timeline.of(message)]


def _entry(entry: timeline.Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "what": entry.what,
        "message": str(entry.sentence),
        "detail": entry.detail,
        "sms_gateway": entry.gateway or None,
        "by": entry.by or None,
        "until": entry.until,
        "seconds": entry.seconds,
    }


def _attempts(message: Message) -> list[dict[str, Any]]:
    return [_attempt(one) for one in known_gateways.known(message.attempts.select_related("gateway"), message)]


def _attempt(attempt: Attempt) -> dict[str, Any]:
    shown_as_they_are = ("started_at", "finished_at", "outcome", "reference", "detail", "exchange")
    return {"sms_gateway": attempt.gateway.name} | {name: getattr(attempt, name) for name in shown_as_they_are}


def _receipts(message: Message) -> list[dict[str, Any]]:
    names = ("reference", "state", "detail", "at", "received_at")
    events = known_gateways.known(DeliveryEvent.objects.filter(message=message), message)
    return [{name: getattr(event, name) for name in names} for event in events]


#: A whole message: with its text as it may be shown, why it waits, its attempts and its receipts.
WHOLE_MESSAGE = Resource(
    singular="message",
    shape_name="WholeMessageItem",
    key="id",
    rows=lambda: Message.objects.select_related("gateway", "wanted"),
    gateways=MESSAGES.gateways,
    told=MESSAGES.told,
    columns={
        **MESSAGES.columns,
        "message": shown(lambda message: message.shown_text, serializers.CharField(allow_null=True)),
        "text_kept_until": shown(
            lambda message: message.valid_until if message.text else None,
            serializers.DateTimeField(allow_null=True),
        ),
        "waits": shown(_waits, WaitsShape(allow_null=True)),
        "attempts": shown(_attempts, AttemptShape(many=True)),
        "receipts": shown(_receipts, ReceiptShape(many=True)),
        "timeline": shown(_timeline, EntryShape(many=True)),
    },
    example=WHOLE_EXAMPLE,
)


class NoInput(Input):
    """A call whose path says everything."""


class Messages(ListView):
    """Messages, the newest first."""

    resource = MESSAGES
    rights: ClassVar = {"GET": (Right.MESSAGES_READ,)}


class MessageSearch(SearchView):
    """Messages that a query finds."""

    resource = MESSAGES
    rights: ClassVar = {"POST": (Right.MESSAGES_READ,)}


class MessageView(ReadView):
    """One message: where it is, why it waits, every attempt and every receipt."""

    resource = WHOLE_MESSAGE
    rights: ClassVar = {"GET": (Right.MESSAGES_READ,)}

    def find(self) -> Message:
        return known_gateways.named(super().find(), self.caller)


class _ChangeOfMind(OneView):
    """What a person may do to a message that is under way or at a bad end; both need the rights of a send."""

    resource = MESSAGES
    rights: ClassVar = {"POST": SENDING}

    def rows(self) -> QuerySet[Message]:
        return WHOLE_MESSAGE.rows_for(self.caller)


class Resend(_ChangeOfMind):
    """Send an unsuccessful message again."""

    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {
        "POST": Example({"message": "Message 17 is sent again as 18", "item": EXAMPLE, "status": 200}, {})
    }

    def post(self, request: Request, **named: str) -> Response:
        """A new message with the same text, once; 409 where there is nothing to repeat or the text is gone.

        Of an unresolved message nobody knows whether it arrived: the answer says that two copies may.
        """
        self.validated(NoInput)
        return commit(self, self._resend)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return super().answer_shape(method, ref) | {"item": ref(MESSAGES.shape())}

    def _resend(self) -> Done:
        former: Message = self.find()
        again = sending.resend(former, requested_by=self.caller, door=Door.API)
        risk = sending.risk_of_resending(former)
        sentence = f"Message {former.pk} is sent again as {again.pk}" + (f". {risk}" if risk else "")
        return Done(
            {"message": sentence, "item": MESSAGES.item(known_gateways.named(again, self.caller))},
            object_id=str(former.pk),
        )


class Cancel(_ChangeOfMind):
    """Take back a message that no worker has taken."""

    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {"POST": Example({"message": "Message 17 is cancelled", "item": EXAMPLE, "status": 200}, {})}

    def post(self, request: Request, **named: str) -> Response:
        """It will not be sent; 409 where it is too late."""
        self.validated(NoInput)
        return commit(self, self._cancel)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return super().answer_shape(method, ref) | {"item": ref(MESSAGES.shape())}

    def _cancel(self) -> Done:
        message: Message = self.find()
        sending.cancel(message, by=self.caller)
        return Done({"message": f"Message {message.pk} is cancelled", "item": MESSAGES.item(message)})


class Forget(_ChangeOfMind):
    """Take an ended message off its provider's own log."""

    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {"POST": Example({"message": "The provider deleted message 17", "status": 200}, {})}

    def post(self, request: Request, **named: str) -> Response:
        """The provider deletes its record; 409 where it cannot, or does not."""
        self.validated(NoInput)
        message: Message = self.find()
        forgetting.forget(message, by=self.caller)
        return Response({"message": f"The provider deleted message {message.pk}"})
