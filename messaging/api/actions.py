"""The object `Sms` of the action envelope: `append`, `get` and `list`. It is ours: Runtel documents none that sends."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from messaging import known_gateways, phones, sending
from messaging.api.messages import WHOLE_MESSAGE
from messaging.models import Door, Message, State
from messaging.models.row import LONGEST_CALLER_REFERENCE
from messaging.retries import Kind
from portal.api.actions.action import Action
from portal.api.commit import IN_META, KEY_SHAPE, Done, commit
from portal.api.envelope import UNKNOWN_ITEM
from portal.api.inputs import Input, Moment
from portal.api.resources import Column, Resource, moment, number, shown, text
from portal.api.views import ApiView, Example
from portal.permissions import SENDING, Right

MOST = 100
#: Whoever skips more asks for `since` instead.
FARTHEST = 10_000

EXAMPLE = {
    "id": 17, "state": "delivered", "kind": "information", "phone": "+79161234567", "gateway": "sandbox",
    "segments": 1, "encoding": "UCS-2", "reference": "booking 17", "provider_reference": "17", "reason": "",
    "created": "2026-11-22T12:00:00Z", "valid_until": "2026-11-23T12:00:00Z",
    "submitted_at": "2026-11-22T12:00:01Z", "finished_at": "2026-11-22T12:00:02Z",
}  # fmt: skip

#: A message in the words of the envelope.
SMS = Resource(
    singular="sms",
    key="id",
    rows=lambda: Message.objects.defer("text").select_related("gateway"),
    gateways=WHOLE_MESSAGE.gateways,
    told=WHOLE_MESSAGE.told,
    ordering=("-id",),
    columns={
        "id": number("id"),
        "state": Column("state", serializers.ChoiceField(choices=State.values)),
        "kind": Column("kind", serializers.ChoiceField(choices=Kind.values)),
        "phone": text("phone"),
        "gateway": text("known_gateway"),
        "segments": number("segments"),
        "encoding": text("encoding"),
        "reference": text("caller_reference", nullable=True),
        "provider_reference": text("reference"),
        "reason": text("known_reason"),
        "created": moment("created"),
        "valid_until": moment("valid_until"),
        "submitted_at": moment("submitted_at", nullable=True),
        "finished_at": moment("finished_at", nullable=True),
    },
    example=EXAMPLE,
)

#: The same with its text, as it may be shown.
WHOLE_SMS = Resource(
    singular="sms",
    shape_name="WholeSmsItem",
    key="id",
    rows=lambda: Message.objects.select_related("gateway"),
    gateways=SMS.gateways,
    told=SMS.told,
    columns={
        **SMS.columns,
        "text": shown(lambda message: message.shown_text, serializers.CharField(allow_null=True)),
    },
    example=EXAMPLE | {"text": "Wi-Fi is back"},
)


class SmsPage(serializers.Serializer[Any]):
    """Some messages, the newest first; `more` says that there are others behind them."""

    items = SMS.shape(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    more = serializers.BooleanField()


class AppendInput(Input):
    """A text, the phone it is for, and how to know it again."""

    phone = serializers.CharField(max_length=50, style={"placeholder": "+79161234567"})
    text = serializers.CharField(trim_whitespace=False, max_length=20_000)
    gateway = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)
    reference = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=LONGEST_CALLER_REFERENCE,
        help_text="Your own name for the message; it need not be unique",
    )
    idempotency_key = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="As the header Idempotency-Key: a repeat with the same one gets the first answer and sends nothing",
    )

    def validate_idempotency_key(self, key: str) -> str:
        """As it is asked of the header."""
        if key and not KEY_SHAPE.fullmatch(key):
            raise ValidationError("Give 1 to 255 printable ASCII characters, with no space at either end.")
        return key


class GetInput(Input):
    """Which message."""

    id = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class ListInput(Input):
    """Which messages; without any of these the newest."""

    state = serializers.ChoiceField(required=False, choices=State.values)
    phone = serializers.CharField(required=False, max_length=50)
    since = Moment(required=False, help_text="Accepted then or later")
    limit = serializers.IntegerField(required=False, default=25, min_value=1, max_value=MOST)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=FARTHEST)


def append(view: ApiView, params: dict[str, Any]) -> Response:
    """Accepts one information message; 200 means that its fate will be on record."""
    key = params["idempotency_key"]
    if key:
        # For clients that write everything into the envelope and no header of their own.
        view.request.META.setdefault(IN_META, key)

    def work() -> Done:
        message = sending.send(
            phone=params["phone"],
            text=params["text"],
            kind=Kind.INFORMATION,
            gateway_name=params["gateway"],
            requested_by=view.caller,
            door=Door.API,
            caller_reference=params["reference"],
        )
        return Done(SMS.item(known_gateways.named(message, view.caller)), object_id=str(message.pk))

    return commit(view, work)


def get(view: ApiView, params: dict[str, Any]) -> Response:
    """One message, with its text as it may be shown."""
    found = WHOLE_SMS.rows_for(view.caller).filter(pk=params["id"]).first()
    if found is None:
        raise NotFound(UNKNOWN_ITEM)
    return Response(WHOLE_SMS.item(found))


def list_(view: ApiView, params: dict[str, Any]) -> Response:
    """Some messages, the newest first."""
    limit, offset = params["limit"], params["offset"]
    rows = _asked(SMS.rows_for(view.caller), **{name: params.get(name) for name in ("state", "phone", "since")})
    found = list(rows.order_by(*SMS.ordering)[offset : offset + limit + 1])
    items = [SMS.item(message) for message in found[:limit]]
    return Response({"items": items, "limit": limit, "offset": offset, "more": len(found) > limit})


def _asked(rows: QuerySet[Message], state: str | None, phone: str | None, since: datetime | None) -> QuerySet[Message]:
    if state is not None:
        rows = rows.filter(state=state)
    if phone is not None:
        rows = rows.filter(phone=phones.normalise(phone))
    return rows if since is None else rows.filter(created__gte=since)


ACTIONS = {
    "append": Action(
        about="Send a text to a phone, through the default gateway unless one is named.",
        do=append,
        params=AppendInput,
        body=SMS.shape,
        example=Example(
            EXAMPLE | {"state": "queued", "provider_reference": "", "submitted_at": None, "finished_at": None},
            {"phone": "+79161234567", "text": "Wi-Fi is back", "gateway": "sandbox", "reference": "booking 17"},
        ),
        rights=SENDING,
    ),
    "get": Action(
        about="One message.",
        do=get,
        params=GetInput,
        body=WHOLE_SMS.shape,
        example=Example(WHOLE_SMS.example, {"id": 17}),
        rights=(Right.MESSAGES_READ,),
        reads=True,
    ),
    "list": Action(
        about="Some messages, the newest first.",
        do=list_,
        params=ListInput,
        body=SmsPage,
        example=Example(
            {"items": [EXAMPLE], "limit": 25, "offset": 0, "more": False},
            {"state": "delivered", "since": "2026-11-22T00:00:00Z", "limit": 25, "offset": 0},
        ),
        rights=(Right.MESSAGES_READ,),
        reads=True,
    ),
}
