"""The API of gateways: the collection `sms_gateways`. On the wire a gateway's name is its `id`."""

from dataclasses import asdict
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways import accounts, checking, configuration, health, pace, samples, standing
from gateways.api_shapes import BalanceShape, RequestShape
from gateways.models import Gateway, is_phone, name_is_plain
from portal.api.authentication.refusals import ForSomeGateways
from portal.api.collection import CollectionView, ItemView, OneView, ResourceView, SearchView
from portal.api.inputs import Input
from portal.api.resources import Column, Resource, fraction, moment, number, shown, text, yes_no
from portal.api.views import Example, Ref
from portal.permissions import Right, is_for_some_gateways, may

TEXT = {"type": "string"}


def balance_of(gateway: Gateway) -> dict[str, Any] | None:
    """What was left on the account when it was last asked; `warning` is 0 to 3."""
    found = health.of(gateway)
    if found.balance is None:
        return None
    return {
        "amount": str(found.balance),
        "currency": found.currency,
        "at": found.balance_at,
        "warning": found.balance_warned,
    }


def amount(name: str) -> Column:
    """A sum of money, as text: it would lose digits as a number."""

    def written(gateway: Gateway) -> str | None:
        found = getattr(gateway, name)
        return None if found is None else str(found)

    return shown(written, serializers.CharField(allow_null=True))


PREVIEW = {
    "method": "POST",
    "url": "https://sms.example.org/send",
    "headers": {"authorization": "Bearer ********"},
    "body": '{"to": "79161234567", "text": "Wi-Fi is back"}',
}
DRAFT = {
    "provider": "http",
    "settings": {
        "url": "https://sms.example.org/send",
        "auth": "bearer",
        "api_key": "…",
        "content_type": "json",
        "body": '{"to": "{{to}}", "text": "{{text}}"}',
        "phone_format": "digits",
        "ok": "status:202",
    },
    "phone_number": "+79161234567",
    "message": "Wi-Fi is back",
}
EXAMPLE = {
    "id": "sandbox",
    "provider": "sandbox",
    "settings": {"understands_keys": True, "answers_look_ups": True, "receipts": True},
    "sender": "",
    "priority": 100,
    "rate_per_second": 50.0,
    "max_in_flight": 50,
    "timeout": 15.0,
    "prefixes": [],
    "enabled": True,
    "is_default": True,
    "strict": False,
    "daily_limit": None,
    "sent_today": 31,
    "test_number": "+79161234567",
    "balance_warning": None,
    "segment_price": "3.5000",
    "currency": "RUB",
    "balance": None,
    "state": "ok",
    "breaker": "closed",
    "paused_until": None,
    "last_error": "",
    "last_remedy": "",
    "last_error_at": None,
    "created": "2026-11-22T09:30:00+00:00",
}

GATEWAYS = Resource(
    singular="sms_gateway",
    key="id",
    rows=lambda: Gateway.objects.select_related("health"),
    gateways=("pk",),
    ordering=("priority", "name"),
    columns={
        "id": text("name"),
        "provider": text("provider"),
        "settings": shown(configuration.shown, serializers.DictField()),
        "sender": text("sender"),
        "priority": number("priority"),
        "rate_per_second": fraction("rate_per_second"),
        "max_in_flight": number("max_in_flight"),
        "timeout": fraction("timeout"),
        "prefixes": shown(lambda gateway: gateway.prefixes, serializers.ListField(child=serializers.CharField())),
        "enabled": yes_no("enabled"),
        "is_default": yes_no("is_default"),
        "strict": yes_no("strict"),
        "daily_limit": number("daily_limit", nullable=True),
        "sent_today": shown(lambda gateway: pace.sent_today(health.of(gateway)), serializers.IntegerField()),
        "test_number": text("test_number"),
        "balance_warning": amount("balance_warning"),
        "segment_price": amount("segment_price"),
        "currency": text("currency"),
        "balance": shown(balance_of, BalanceShape(allow_null=True)),
        "state": shown(standing.of, serializers.ChoiceField(choices=standing.Standing.values)),
        "breaker": shown(
            lambda gateway: health.breaker(health.of(gateway)), serializers.ChoiceField(choices=health.Breaker.values)
        ),
        "paused_until": shown(standing.paused_until, serializers.DateTimeField(allow_null=True)),
        "last_error": shown(lambda gateway: health.of(gateway).last_error),
        "last_remedy": shown(lambda gateway: health.of(gateway).last_remedy),
        "last_error_at": moment("health__last_error_at", nullable=True),
        "created": moment("created"),
    },
    example=EXAMPLE,
)


#: A whole gateway: with the address that its provider reports to.
WHOLE_GATEWAY = Resource(
    singular="sms_gateway",
    shape_name="WholeGatewayItem",
    key="id",
    rows=GATEWAYS.rows,
    gateways=GATEWAYS.gateways,
    columns={**GATEWAYS.columns, "callback_url": shown(lambda gateway: gateway.callback_url)},
    example=EXAMPLE | {"callback_url": "https://sms.example.org/callbacks/1/4f0c…/"},
)


class GatewayInput(Input):
    """A gateway to create. What its provider's `settings` hold, the provider says; limits are the model's."""

    id = serializers.CharField(source="name", max_length=100, validators=[name_is_plain])
    provider = serializers.CharField(max_length=50)
    settings = serializers.DictField(required=False, default=dict)
    sender = serializers.CharField(required=False, default="", allow_blank=True)
    priority = serializers.IntegerField(required=False, default=100)
    rate_per_second = serializers.FloatField(required=False, default=50.0)
    max_in_flight = serializers.IntegerField(required=False, default=50)
    timeout = serializers.FloatField(required=False, default=15.0)
    prefixes = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    enabled = serializers.BooleanField(required=False, default=True)
    is_default = serializers.BooleanField(required=False, default=False)
    strict = serializers.BooleanField(required=False, default=False)
    daily_limit = serializers.IntegerField(required=False, default=None, allow_null=True)
    test_number = serializers.CharField(required=False, default="", allow_blank=True)
    balance_warning = serializers.DecimalField(14, 2, required=False, default=None, allow_null=True)
    segment_price = serializers.DecimalField(10, 4, required=False, default=None, allow_null=True)
    currency = serializers.CharField(required=False, default="RUB", allow_blank=True)


class GatewayChange(GatewayInput):
    """A gateway to change. Settings are merged key by key; a secret left out or sent as its mask stays as it is."""

    id = serializers.CharField(source="name", max_length=100, validators=[name_is_plain], required=False)


class Gateways(CollectionView):
    """The gateways: accounts at providers through which messages are sent."""

    resource = GATEWAYS
    rights: ClassVar = {"GET": (Right.SMS_GATEWAY_READ,), "POST": (Right.SMS_GATEWAY_CREATE,)}
    inputs: ClassVar = {"POST": GatewayInput}
    named_by: ClassVar = "id"
    wire_names: ClassVar = {"name": "id"}

    def create(self, fields: dict[str, Any]) -> Gateway:
        if is_for_some_gateways(self.caller):
            raise ForSomeGateways
        return accounts.create(**fields)


class GatewaySearch(SearchView):
    """Search the gateways."""

    resource = GATEWAYS
    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_READ,)}


class GatewayView(ItemView):
    """One gateway, how it fares, and its settings without their secrets."""

    resource = WHOLE_GATEWAY
    rights: ClassVar = {
        "GET": (Right.SMS_GATEWAY_READ,),
        "PATCH": (Right.SMS_GATEWAY_UPDATE,),
        "PUT": (Right.SMS_GATEWAY_UPDATE,),
        "DELETE": (Right.SMS_GATEWAY_DELETE,),
    }
    inputs: ClassVar = {"PATCH": GatewayChange, "PUT": GatewayChange}
    wire_names: ClassVar = {"name": "id"}

    def item(self, row: Gateway) -> dict[str, Any]:
        """Whoever knows the callback address can report deliveries: it is for those who may set the gateway up."""
        item = super().item(row)
        hidden = item["callback_url"] and not may(self.caller, Right.SMS_GATEWAY_UPDATE)
        return item | {"callback_url": configuration.MASK} if hidden else item

    def update(self, found: Gateway, fields: dict[str, Any]) -> Gateway:
        if fields.get("is_default", found.is_default) != found.is_default and is_for_some_gateways(self.caller):
            raise ForSomeGateways
        accounts.change(found, **fields)
        return found

    def remove(self, found: Gateway) -> None:
        accounts.delete(found)


class CheckInput(Input):
    """A check is told nothing."""


class GatewayCheck(OneView):
    """Find out whether a gateway's settings work, without sending anything."""

    resource = GATEWAYS
    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_UPDATE,)}
    inputs: ClassVar = {"POST": CheckInput}
    examples: ClassVar = {
        "POST": Example({"message": "the balance is 1250.00 RUB", "works": True, "remedy": "", "status": 200}, {})
    }

    def post(self, request: Request, **named: str) -> Response:
        """`works` is null where only a message can tell. Refused credentials are tried once more."""
        self.validated(CheckInput)
        found = checking.check(self.find())
        return Response({"message": found.says, "works": found.works, "remedy": found.remedy})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {**super().answer_shape(method, ref), "works": {"type": "boolean", "nullable": True}, "remedy": TEXT}


class SampleInput(Input):
    """A sample message for a preview."""

    phone_number = serializers.CharField(required=False, default=samples.PHONE, max_length=20, validators=[is_phone])
    message = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=False, max_length=2000
    )


class DraftInput(SampleInput):
    """Settings that are not stored, and a sample message for them."""

    provider = serializers.CharField(max_length=50)
    settings = serializers.DictField(required=False, default=dict)
    sender = serializers.CharField(required=False, default="", allow_blank=True)


class PreviewView(ResourceView):
    """What the two previews share."""

    resource = GATEWAYS
    audited = False
    wire_names: ClassVar = {"phone": "phone_number", "text": "message"}

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"request": ref(RequestShape())}


class GatewayPreview(PreviewView, OneView):
    """See the request that a gateway would make, without making it."""

    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_UPDATE,)}
    inputs: ClassVar = {"POST": SampleInput}
    examples: ClassVar = {"POST": Example({"request": PREVIEW, "status": 200}, {"phone_number": samples.PHONE})}

    def post(self, request: Request, **named: str) -> Response:
        """The exact request for a sample message; secrets are masked and nothing is sent."""
        sample = self.validated(SampleInput)
        found = samples.request_of(self.find(), phone=sample["phone_number"], text=sample["message"])
        return Response({"request": asdict(found)})


class DraftPreview(PreviewView):
    """See the request that settings would make, before a gateway is made of them."""

    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_CREATE,)}
    inputs: ClassVar = {"POST": DraftInput}
    examples: ClassVar = {"POST": Example({"request": PREVIEW, "status": 200}, DRAFT)}

    def post(self, request: Request) -> Response:
        """The exact request for a sample message; secrets are masked, and nothing is stored or sent."""
        draft = self.validated(DraftInput)
        found = samples.request_of_settings(
            provider=draft["provider"],
            settings=draft["settings"],
            sender=draft["sender"],
            phone=draft["phone_number"],
            text=draft["message"],
        )
        return Response({"request": asdict(found)})
