"""`send_sms`, and what every call that sends shares: rights, words on the wire, `wait` and the answer."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.gateways import GATEWAYS
from messaging import known_gateways, opt_outs, sending
from messaging.api.messages import EXAMPLE, MESSAGES
from messaging.models import FINAL, Door, Message, State
from messaging.retries import Kind
from portal.api import parameters
from portal.api.collection import OneView
from portal.api.commit import Done, commit, commit_row
from portal.api.inputs import Input
from portal.api.views import ApiView, Example, Ref
from portal.permissions import SENDING

LONGEST_WAIT = 30
#: Ends at which the phone has nothing, or nobody knows.
BAD_ENDS = frozenset(FINAL) - {State.DELIVERED, State.NO_RECEIPT}
#: How often a waiting answer looks whether the message is handed over or has ended, seconds.
LOOK_EVERY = 0.1
#: At most half of the web's threads wait; the others keep answering.
waiters = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))

SENT_EXAMPLE = {"message": "Message 17 accepted", "status": 200, "item": EXAMPLE | {"state": "queued"}}


class WaitInput(Input):
    """What every send may carry beside its own fields."""

    wait = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text="At most so many seconds the answer waits until the message is handed over or has ended",
    )


class TextInput(Input):
    """A text and the phone it is for."""

    phone_number = serializers.CharField(max_length=50, style={"placeholder": "+79161234567"})
    message = serializers.CharField(trim_whitespace=False, max_length=20_000)


class SmsInput(WaitInput, TextInput):
    """The body of `send_sms`."""

    asks_nobody: ClassVar = True

    sms_gateway = serializers.CharField(max_length=100)


class SendView(ApiView):
    """A call that sends one message: its rights, its words on the wire and the shape of its answer."""

    rights: ClassVar = {"POST": SENDING}
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    #: The gateway, or whoever the text is for, may be unknown.
    refusals: ClassVar = {"POST": (404,)}
    unfingerprinted: ClassVar = frozenset({"wait"})
    wire_names: ClassVar = {"phone": "phone_number", "text": "message", "gateway": "sms_gateway"}

    def answer(self, accept: Callable[[], Message], wait: int, prepared: Message | None = None) -> Response:
        """Accepts the message and its idempotency record in one transaction, then waits up to `wait` seconds.

        A request with an Idempotency-Key gets the stored answer, which is that of acceptance, whatever `wait` says.
        `prepared` is the message that `accept` would store, for one statement that stores it unless its phone has
        opted out.
        """
        accepted: list[Message] = []

        def work() -> Done:
            message = accept()
            accepted.append(message)
            return Done(self._sent(message), object_id=str(message.pk))

        response = commit(self, work) if prepared is None else self._store(prepared, work)
        if prepared is not None and not prepared._state.adding:
            accepted.append(prepared)
        if accepted and wait and not self.request.headers.get("Idempotency-Key"):
            response.data = self._sent(_when_known(accepted[0], wait))
        return response

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return super().answer_shape(method, ref) | {"item": ref(MESSAGES.shape())}

    def _sent(self, message: Message) -> dict[str, Any]:
        reason = known_gateways.reason_of(message, self.caller)
        return {
            "message": _sentence(message, reason),
            "item": MESSAGES.item(known_gateways.named(message, self.caller)),
        }

    def _store(self, message: Message, work: Callable[[], Done]) -> Response:
        hindrance = opt_outs.unless_opted_out(message.phone)
        response = commit_row(self, message, lambda: Done(self._sent(message)), unless=hindrance, work=work)
        if not message._state.adding:
            sending.note_stored(message)
        return response


class SendSms(SendView):
    """Send a text to a phone."""

    inputs: ClassVar = {"POST": SmsInput}
    guesses: ClassVar = True
    named_by: ClassVar = "sms_gateway"
    examples: ClassVar = {
        "POST": Example(
            request={"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"},
            answer=SENT_EXAMPLE,
        )
    }

    def post(self, request: Request) -> Response:
        """Accept one information message; 200 means that its fate will be on record."""
        sms = self.validated(SmsInput)
        wish: dict[str, Any] = {
            "phone": sms["phone_number"],
            "text": sms["message"],
            "kind": Kind.INFORMATION,
            "gateway_name": sms["sms_gateway"],
            "requested_by": self.caller,
            "door": Door.API,
        }
        return self.answer(partial(sending.send, **wish), sms["wait"], sending.prepare(**wish))


class TestInput(WaitInput):
    """What a test may be told; without a phone it goes to the gateway's test number."""

    phone_number = serializers.CharField(required=False, default="", allow_blank=True, max_length=50)
    message = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=False, max_length=20_000
    )


class SendTest(SendView, OneView):
    """Send a real message through one gateway and no other."""

    resource = GATEWAYS
    inputs: ClassVar = {"POST": TestInput}
    examples: ClassVar = {
        "POST": Example(request={"phone_number": "+79161234567", "wait": 10}, answer=SENT_EXAMPLE),
    }

    def post(self, request: Request, **named: str) -> Response:
        """Accept one test message; its timeline is that of any message."""
        test = self.validated(TestInput)
        gateway = self.find()
        return self.answer(
            lambda: sending.send_test(
                gateway, phone=test["phone_number"], text=test["message"], requested_by=self.caller
            ),
            test["wait"],
        )


def _sentence(message: Message, reason: str) -> str:
    """What became of it, for whoever reads no further than the message."""
    if message.state not in BAD_ENDS:
        return f"Message {message.pk} accepted"
    return f"Message {message.pk} {message.state}" + (f": {reason}" if reason else "")


def _when_known(message: Message, seconds: int) -> Message:
    """The message as it is once handed over or ended, when time is over, or at once when too many wait already."""
    if not waiters.acquire(blocking=False):
        return message
    try:
        until = time.monotonic() + seconds
        while not _known(message) and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
            message.refresh_from_db(fields=["state", "gateway", "reason", "reference", "submitted_at", "finished_at"])
    finally:
        waiters.release()
    return message


def _known(message: Message) -> bool:
    """Whether it is handed over or has ended."""
    return message.state == State.SUBMITTED or message.state in FINAL
