"""`send_sms_batch`, thousands of messages in one call; `batch/{id}`, how far they have come, and taking them back."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import progress, sending
from messaging.api.batch_items import BatchInput, read
from messaging.api.messages import NoInput
from messaging.models import Batch, Door
from messaging.models.batch import BY_API
from messaging.progress import Group
from messaging.sending import Faulty, Known
from portal.api import parameters
from portal.api.collection import OneView, ReadView
from portal.api.commit import Done, commit
from portal.api.envelope import InvalidArguments
from portal.api.resources import Resource, moment, number, shown, text
from portal.api.views import ApiView, Example, Ref
from portal.permissions import SENDING, Right, may

#: 10,000 texts of a dozen segments fit, in Cyrillic too.
LARGEST_BODY = 20 * 1024 * 1024
WIRE_NAMES = {"phone": "phone_number", "text": "message", "gateway": "sms_gateway", "items": "messages"}

PROGRESS_EXAMPLE = {
    "accepted": 2, "refused": 1, "waiting": 2, "handed_over": 0, "delivered": 0, "unclear": 0, "failed": 0,
    "suppressed": 0, "cancelled": 0, "over": False, "states": {"queued": 2},
}  # fmt: skip
EXAMPLE = {
    "id": 5, "name": BY_API, "sms_gateway": "sandbox", "requested_by": "hotel-desk", "created": "2026-11-22T12:00:00Z",
    "scheduled_for": None, "again_of": None, "total": 3, "progress": PROGRESS_EXAMPLE,
}  # fmt: skip
SENTENCE = "This is not a phone number; write it like +79161234567."
ERRORS_EXAMPLE = [{"index": 2, "field": "phone_number", "message": SENTENCE, "reference": "booking 19"}]


def _progress(batch: Batch) -> dict[str, Any]:
    found = progress.now(batch)
    counts = {
        "accepted": found.accepted,
        "refused": found.refused,
        **{group.value: found.groups[group] for group in Group},
    }
    return counts | {"over": found.over, "states": found.states}


def _errors(batch: Batch) -> list[dict[str, Any]]:
    return [_error(**refused) for refused in batch.refused]


def _error(place: int | None, reference: str, field: str, message: str, unknown: str = "") -> dict[str, Any]:
    # An unknown field may be called as one of ours is here, `phone` or `text`: its name is left as it is.
    name = unknown or WIRE_NAMES.get(field, field)
    # On our pages the first one is number 1.
    found = {"index": None if place is None else place - 1, "field": name, "message": message}
    return found | ({"reference": reference} if reference else {})


class ErrorShape(serializers.Serializer[Any]):
    """An item that was refused: its position in the call, starting from 0, the field at fault, and why."""

    index = serializers.IntegerField(allow_null=True)
    field = serializers.CharField()
    message = serializers.CharField()
    reference = serializers.CharField(required=False)


class ProgressShape(serializers.Serializer[Any]):
    """How many messages of a batch are where; `states` has those of `message/{id}`, as far as there are any in them."""

    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()
    waiting = serializers.IntegerField()
    handed_over = serializers.IntegerField()
    delivered = serializers.IntegerField()
    unclear = serializers.IntegerField()
    failed = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    over = serializers.BooleanField(help_text="Nothing more will happen")
    states = serializers.DictField(child=serializers.IntegerField())


BATCHES = Resource(
    singular="batch",
    key="id",
    rows=lambda: Batch.objects.select_related("wanted", "requested_by"),
    gateways=("wanted",),
    ordering=("-id",),
    columns={
        "id": number("id"),
        "name": text("name"),
        "sms_gateway": text("wanted__name", nullable=True),
        "requested_by": text("requested_by__username", nullable=True),
        "created": moment("created"),
        "scheduled_for": moment("scheduled_for", nullable=True),
        "again_of": number("again_of_id", nullable=True),
        "total": number("total"),
        "progress": shown(_progress, ProgressShape()),
    },
    example=EXAMPLE,
)

#: A batch with the items that were refused; in the answer to a send those stand beside it.
WHOLE_BATCH = Resource(
    singular="batch",
    shape_name="WholeBatchItem",
    key="id",
    rows=BATCHES.rows,
    gateways=BATCHES.gateways,
    columns={**BATCHES.columns, "errors": shown(_errors, ErrorShape(many=True))},
    example=EXAMPLE | {"errors": ERRORS_EXAMPLE},
)


class SendBatch(ApiView):
    """Send thousands of texts in one call.

    Accepts up to 10,000 information messages in a body of at most 20 MiB; 200 means that the fate of each accepted one
    will be on record. What is wrong with one stops no other: `errors` names it by its `index`, which is its position in
    `messages`, starting from 0. Where none can be accepted, the answer is 422 with the same `errors`, and nothing is
    kept. The others are accepted in one transaction, all or none.
    """

    rights: ClassVar = {"POST": SENDING}
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    inputs: ClassVar = {"POST": BatchInput}
    refusals: ClassVar = {"POST": (404,)}
    wire_names: ClassVar = WIRE_NAMES
    named_by: ClassVar = "sms_gateway"
    largest_body: ClassVar = LARGEST_BODY
    judges_each_of: ClassVar = "messages"
    examples: ClassVar = {
        "POST": Example(
            request={
                "sms_gateway": "sandbox",
                "messages": [
                    {"phone_number": "+79161234567", "message": "Wi-Fi is back", "reference": "booking 17"},
                    {"phone_number": "+79161234568", "message": "Wi-Fi is back, Ms. Lee"},
                    {"phone_number": "12", "message": "Wi-Fi is back", "reference": "booking 19"},
                ],
            },
            answer={
                "message": "Batch 5: 2 of 3 messages accepted",
                "status": 200,
                "item": EXAMPLE,
                "errors": ERRORS_EXAMPLE,
            },
        )
    }

    def post(self, request: Request) -> Response:
        """Accept what can be accepted, and name what cannot."""
        asked = self.validated(BatchInput)
        # Nothing is locked yet while thousands of phones and texts are looked at.
        items = sending.look_at(read(asked["messages"]))
        return commit(self, lambda: self._accept(items, asked["sms_gateway"]))

    def _accept(self, items: Sequence[Known | Faulty], gateway_name: str) -> Done:
        batch = sending.send_many(
            items, gateway_name=gateway_name, requested_by=self.caller, name=BY_API, door=Door.API
        )
        errors = _errors(batch)
        accepted = batch.total - len(errors)
        if not accepted:
            raise InvalidArguments("None of the messages can be accepted", errors)
        sentence = f"Batch {batch.pk}: {accepted} of {batch.total} messages accepted"
        return Done({"message": sentence, "item": BATCHES.item(batch), "errors": errors}, object_id=str(batch.pk))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        errors = {"type": "array", "items": ref(ErrorShape())}
        return {**super().answer_shape(method, ref), "item": ref(BATCHES.shape()), "errors": errors}


class _OneBatch(OneView):
    """Who sent a batch may look after it; others need the right to read messages, or it does not exist for them."""

    resource = BATCHES

    def rows(self) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().rows()
        return rows if may(self.caller, Right.MESSAGES_READ) else rows.filter(requested_by=self.caller)


class BatchView(_OneBatch, ReadView):
    """One batch: how far it has come, and which of its items were refused.

    `over` says that nothing more will happen by itself. Who may send, and lacks the right to read messages, sees their
    own batches.
    """

    resource = WHOLE_BATCH
    rights: ClassVar = {"GET": (Right.MESSAGES_READ,)}

    def needed_rights(self, request: Request) -> tuple[Right, ...] | None:
        """Who may send sees their own batches, as in the admin."""
        return SENDING if may(request.user, *SENDING) else super().needed_rights(request)

    def get(self, request: Request, **named: str) -> Response:
        """How many messages are where, and which items were refused."""
        return super().get(request, **named)


class CancelBatch(_OneBatch):
    """Take back what of a batch no worker has taken.

    `cancelled` of its messages will not be sent; the others had gone, or ended, before. Who lacks the right to read
    messages can take back their own batches.
    """

    rights: ClassVar = {"POST": SENDING}
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {
        "POST": Example(
            {
                "message": "2 messages of batch 5 are cancelled",
                "cancelled": 2,
                "item": EXAMPLE
                | {
                    "progress": PROGRESS_EXAMPLE
                    | {"waiting": 0, "cancelled": 2, "over": True, "states": {"cancelled": 2}}
                },
                "status": 200,
            },
            {},
        )
    }

    def post(self, request: Request, **named: str) -> Response:
        """Take back what is still here."""
        self.validated(NoInput)
        return commit(self, self._cancel)

    def _cancel(self) -> Done:
        batch: Batch = self.find()
        done = sending.cancel_batch(batch, by=self.caller)
        sentence = f"{done} messages of batch {batch.pk} are cancelled"
        return Done({"message": sentence, "cancelled": done, "item": self.item(batch)}, object_id=str(batch.pk))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {
            **super().answer_shape(method, ref),
            "cancelled": {"type": "integer"},
            "item": ref(BATCHES.shape()),
        }
