"""Calling receivers: many calls in the air at once, and what each answer means. Nothing is written down here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateways.http import HttpRequest, HttpResponse, retry_after, text_of
from gateways.outcomes import storable
from gateways.transport import Call, Flight, Landing
from messaging.models import Webhook, WebhookDelivery
from messaging.models.webhook import LONGEST_ANSWER
from messaging.webhooks import formats
from messaging.webhooks.schedule import TIMEOUT
from portal import clock
from portal.encryption import KeyMissing

GONE = 410
#: These may say when to come again.
COME_AGAIN = frozenset({429, 503})


@dataclass(frozen=True)
class Answer:
    """What became of one call: a status, or else the reason why there is none. `milliseconds` is how long it took.

    What is `hopeless` no later call would tell either, and says nothing of how the receiver fares.
    """

    delivery: WebhookDelivery
    status: int | None
    reason: str
    excerpt: str = ""
    asked_for: float = 0.0
    milliseconds: int = 0
    hopeless: bool = False

    @property
    def outcome(self) -> str:
        """For `/metrics`."""
        if self.is_success:
            return "delivered"
        return "unanswered" if self.status is None else "refused"

    @property
    def is_success(self) -> bool:
        """Any 2xx, as the standard says."""
        return self.status is not None and 200 <= self.status < 300


def call_all(webhook: Webhook, deliveries: Sequence[WebhookDelivery], not_after: datetime) -> list[Answer]:
    """Tells the webhook all of these at once, and gives every answer. Call it outside any transaction.

    After `not_after` nothing may be written any more: another worker may be telling it.
    """
    now, answers, calls = clock.now(), [], []
    for place, delivery in enumerate(deliveries):
        request = _request(webhook, delivery, now)
        if isinstance(request, Answer):
            answers.append(request)
        else:
            calls.append(Call(place, request, TIMEOUT, not_after))
    flight, began = Flight(), time.monotonic()
    flight.launch(calls)
    while flight.in_air:
        landed = flight.landed(TIMEOUT)
        took = time.monotonic() - began
        answers += [_answer(deliveries[landing.ticket], landing, took) for landing in landed]
    return answers


def _request(webhook: Webhook, delivery: WebhookDelivery, now: datetime) -> HttpRequest | Answer:
    try:
        return formats.request_of(webhook, delivery.event, now)
    except KeyMissing as error:
        return Answer(delivery, None, str(error))
    except formats.Untellable as error:
        return Answer(delivery, None, str(error), hopeless=True)


def _answer(delivery: WebhookDelivery, landing: Landing, seconds: float) -> Answer:
    took = int(timedelta(seconds=seconds) / timedelta(milliseconds=1))
    if landing.response is None:
        reason = landing.failure.reason if landing.failure else ""
        return Answer(delivery, None, storable(reason), milliseconds=took)
    response = landing.response
    asked = retry_after(response, 0.0) if response.status in COME_AGAIN else 0.0
    return Answer(delivery, response.status, _reason(response), _excerpt(response), asked, took)


def _reason(response: HttpResponse) -> str:
    if 200 <= response.status < 300:
        return ""
    followed = ", and no redirect is followed" if 300 <= response.status < 400 else ""
    return f"the answer was {response.status}{followed}"


def _excerpt(response: HttpResponse) -> str:
    return storable(text_of(response)[:LONGEST_ANSWER], LONGEST_ANSWER)
