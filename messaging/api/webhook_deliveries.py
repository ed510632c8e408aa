"""The collection `webhook_deliveries`: what became of each event at each webhook, and telling it once more."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import event_types, webhooks
from messaging.api.messages import NoInput
from messaging.models import Delivered, WebhookDelivery, WebhookTry
from portal.api.collection import ListView, OneView, ReadView, SearchView
from portal.api.commit import Done, commit
from portal.api.resources import Resource, choice, moment, number, shown, text
from portal.api.views import Example
from portal.permissions import Right, may

EXAMPLE = {
    "id": 40, "webhook": 3, "event": "msg_5f1c0a9e3b7d2468ace01357", "type": "message.delivered",
    "at": "2026-11-22T12:00:02Z", "state": "delivered", "tries": 1, "due_at": None, "last_status": 204, "reason": "",
    "answered_at": "2026-11-22T12:00:02Z",
}  # fmt: skip

DELIVERIES = Resource(
    singular="webhook_delivery",
    key="id",
    # By the join, without those of a webhook that was removed a moment ago.
    rows=lambda: WebhookDelivery.objects.select_related("event", "webhook").defer("event__body"),
    of_all_gateways=True,
    ordering=("-id",),
    columns={
        "id": number("id"),
        "webhook": number("webhook_id"),
        "event": text("event__uid"),
        "type": text("event__type"),
        "at": moment("event__at"),
        "state": choice("state", Delivered.values),
        "tries": number("tries"),
        "due_at": moment("due_at", nullable=True),
        "last_status": number("last_status", nullable=True),
        "reason": text("reason"),
        "answered_at": moment("answered_at", nullable=True),
    },
    example=EXAMPLE,
)


class CallShape(serializers.Serializer[Any]):
    """One call: `status` is null where there was no answer, and then `reason` says why."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    milliseconds = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True)


def _calls(delivery: WebhookDelivery) -> list[dict[str, Any]]:
    return [_call(call) for call in WebhookTry.objects.filter(delivery=delivery)]


def _call(call: WebhookTry) -> dict[str, Any]:
    return {name: getattr(call, name) for name in ("at", "status", "milliseconds", "reason", "answer")}


#: A whole delivery: with what is told, and every call.
WHOLE_DELIVERY = Resource(
    singular="webhook_delivery",
    shape_name="WholeWebhookDeliveryItem",
    key="id",
    rows=lambda: WebhookDelivery.objects.select_related("event", "webhook"),
    of_all_gateways=True,
    columns={
        **DELIVERIES.columns,
        "body": shown(lambda delivery: delivery.event.body, serializers.CharField(allow_null=True)),
        "calls": shown(_calls, CallShape(many=True)),
    },
    example=EXAMPLE
    | {
        "body": '{"type":"message.delivered","timestamp":"2026-11-22T12:00:02.000Z","data":{"id":17}}',
        "calls": [
            {"at": "2026-11-22T12:00:02Z", "status": 204, "milliseconds": 31, "reason": "", "answer": ""},
        ],
    },
)


class WebhookDeliveries(ListView):
    """Deliveries of events to webhooks, the newest first."""

    resource = DELIVERIES
    rights: ClassVar = {"GET": (Right.SYSTEM_READ,)}


class WebhookDeliverySearch(SearchView):
    """Deliveries that a query finds."""

    resource = DELIVERIES
    rights: ClassVar = {"POST": (Right.SYSTEM_READ,)}


class WebhookDeliveryView(ReadView):
    """One delivery with its calls; what was said is for those who may read it where it comes from."""

    resource = WHOLE_DELIVERY
    rights: ClassVar = {"GET": (Right.SYSTEM_READ,)}

    def item(self, row: WebhookDelivery) -> dict[str, Any]:
        item = super().item(row)
        if may(self.caller, Right(event_types.needs_of(row.event.type))):
            return item
        # A receiver may answer what it was told.
        return item | {"body": None, "calls": [call | {"answer": ""} for call in item["calls"]]}


class Replay(OneView):
    """Tell an event once more, under the same id."""

    resource = DELIVERIES
    rights: ClassVar = {"POST": (Right.SYSTEM_UPDATE,)}
    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {"POST": Example({"message": "Delivery 40 is told again", "status": 200}, {})}

    def post(self, request: Request, **named: str) -> Response:
        """Whatever became of it; 409 while it waits, and where its webhook is off or no more told of such events."""
        self.validated(NoInput)
        return commit(self, self._replay)

    def _replay(self) -> Done:
        delivery: WebhookDelivery = self.find()
        webhooks.replay(delivery)
        return Done({"message": f"Delivery {delivery.pk} is told again"}, object_id=str(delivery.pk))
