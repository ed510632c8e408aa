"""The API of messages: `send_sms`, the answer every send shares, and the collection `messages`."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import sending, waiting
from messaging.models import FINAL, Attempt, DeliveryEvent, Message, State
from messaging.retries import Kind, text_kept_until
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.views import ApiView, Example
from portal.permissions import SENDING, Right

LONGEST_WAIT = 30
#: How often a waiting answer looks whether the outcome is known, seconds.
LOOK_EVERY = 0.1
#: At most half of the web's threads wait; the others keep answering.
waiters = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))

SENT_EXAMPLE = {
    "message": "Message 17 accepted",
    "status": 200,
    "item": {"id": 17, "state": "queued", "segments": 1, "encoding": "GSM-7", "phone_number": "+79161234567"},
}


class WaitInput(Input):
    """What every send may carry beside its own fields."""

    wait = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=LONGEST_WAIT, help_text="Seconds to wait for the outcome"
    )


class SmsInput(WaitInput):
    """The body of `send_sms`."""

    sms_gateway = serializers.CharField(max_length=100)
    phone_number = serializers.CharField(max_length=50, style={"placeholder": "+79161234567"})
    message = serializers.CharField(trim_whitespace=False, max_length=20_000)


class SendView(ApiView):
    """A call that sends one message: its rights, its words on the wire and the shape of its answer."""

    rights: ClassVar = {"POST": SENDING}
    wire_names: ClassVar = {"phone": "phone_number", "text": "message", "gateway": "sms_gateway"}

    def answer(self, accept: Callable[[], Message], wait: int) -> Response:
        """Accepts the message and its idempotency record in one transaction, then waits up to `wait` seconds.

        A request with an Idempotency-Key gets the stored answer, which is that of acceptance, whatever `wait` says.
        """
        accepted: list[Message] = []

        def work() -> Done:
            message = accept()
            accepted.append(message)
            return Done(_sent(message), object_id=str(message.pk))

        response = commit(self, work)
        if accepted and wait and not self.request.headers.get("Idempotency-Key"):
            response.data = _sent(_when_known(accepted[0], wait))
        return response


class SendSms(SendView):
    """Send a text to a phone."""

    inputs: ClassVar = {"POST": SmsInput}
    examples: ClassVar = {
        "POST": Example(
            request={"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"},
            answer=SENT_EXAMPLE,
        )
    }

    def post(self, request: Request) -> Response:
        """Accept one information message; 200 means that its fate will be on record."""
        sms = self.validated(SmsInput)
        return self.answer(
            lambda: sending.send(
                phone=sms["phone_number"],
                text=sms["message"],
                kind=Kind.INFORMATION,
                gateway_name=sms["sms_gateway"],
                requested_by=request.user,
            ),
            sms["wait"],
        )


def _sent(message: Message) -> dict[str, Any]:
    return {"message": f"Message {message.pk} accepted", "item": summary(message)}


def _when_known(message: Message, seconds: int) -> Message:
    """The message as it is when its outcome is known, when time is over, or at once when too many wait already."""
    if not waiters.acquire(blocking=False):
        return message
    try:
        until = time.monotonic() + seconds
        while not _known(message) and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
            message.refresh_from_db(fields=["state", "reason", "reference", "submitted_at", "finished_at"])
    finally:
        waiters.release()
    return message


def _known(message: Message) -> bool:
    return message.state == State.SUBMITTED or message.state in FINAL


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def summary(message: Message) -> dict[str, Any]:
    """What every answer says of a message; never its text."""
    return {
        "id": message.pk,
        "state": message.state,
        "kind": message.kind,
        "phone_number": message.phone,
        "pid": message.recipient_label or None,
        "sms_gateway": message.gateway.name,
        "segments": message.segments,
        "encoding": message.encoding,
        "reference": message.reference or None,
        "reason": message.reason or None,
        "created": _iso(message.created),
        "valid_until": _iso(message.valid_until),
        "submitted_at": _iso(message.submitted_at),
        "finished_at": _iso(message.finished_at),
        "resend_of": message.resend_of_id,
    }


def whole(message: Message) -> dict[str, Any]:
    """A message with its text as it may be shown, why it waits, its attempts and its receipts."""
    return summary(message) | {
        "message": message.shown_text,
        "text_kept_until": _iso(text_kept_until(message.created, message.valid_until)) if message.text else None,
        "waits": _waits(message),
        "attempts": [_attempt(attempt) for attempt in message.attempts.all()],
        "receipts": [_event(event) for event in message.events.all()],
    }


def _waits(message: Message) -> dict[str, Any] | None:
    found = waiting.why(message)
    if found is None:
        return None
    return {"reason": found.reason, "message": str(found.sentence), "until": _iso(found.until)}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "sms_gateway": attempt.gateway.name,
        "started_at": _iso(attempt.started_at),
        "finished_at": _iso(attempt.finished_at),
        "outcome": attempt.outcome or None,
        "reference": attempt.reference or None,
        "detail": attempt.detail or None,
        "exchange": attempt.exchange,
    }


def _event(event: DeliveryEvent) -> dict[str, Any]:
    return {
        "reference": event.reference,
        "state": event.state,
        "detail": event.detail or None,
        "at": _iso(event.at),
        "received_at": _iso(event.received_at),
    }
