"""The API of gateways: the collection `sms_gateways`. On the wire a gateway's name is its `id`."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways import accounts, checking, configuration, health, pace, preview
from gateways.models import Gateway, name_is_plain
from gateways.outcomes import OutboundSms, Refused
from portal.api.collection import CollectionView, ItemView, OneView, SearchView
from portal.api.inputs import Input
from portal.api.resources import Resource, fraction, moment, number, shown, text, yes_no
from portal.api.views import Example, Ref
from portal.encryption import KeyMissing
from portal.errors import Refusal, Why
from portal.permissions import Right, may

TEXT = {"type": "string"}
STATES = ("ok", "paused", "credentials_refused", "off")


def state_of(gateway: Gateway) -> str:
    """One of STATES: `off` when switched off, `paused` while its account is at fault or it does not answer."""
    found = health.of(gateway)
    if not gateway.enabled:
        return "off"
    if found.refused_at:
        return "credentials_refused"
    return "paused" if paused_until(gateway) else "ok"


def paused_until(gateway: Gateway) -> Any:
    """The end of the pause it is in, if it is in one."""
    found = health.of(gateway)
    return found.open_until if health.breaker(found) is health.Breaker.OPEN else None


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


PREVIEW = {
    "method": "POST",
    "url": "https://sms.example.org/send",
    "headers": {"authorization": "Bearer ********"},
    "body": '{"to": "79161234567", "text": "Wi-Fi is back"}',
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
        "balance_warning": shown(
            lambda gateway: None if gateway.balance_warning is None else str(gateway.balance_warning),
            serializers.CharField(allow_null=True),
        ),
        "balance": shown(balance_of, serializers.DictField(allow_null=True)),
        "state": shown(state_of, serializers.ChoiceField(choices=STATES)),
        "breaker": shown(
            lambda gateway: health.breaker(health.of(gateway)), serializers.ChoiceField(choices=health.Breaker.values)
        ),
        "paused_until": shown(paused_until, serializers.DateTimeField(allow_null=True)),
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
        return item if may(self.caller, Right.SMS_GATEWAY_UPDATE) else item | {"callback_url": configuration.MASK}

    def update(self, found: Gateway, fields: dict[str, Any]) -> Gateway:
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

    phone_number = serializers.RegexField(r"\A\+[1-9][0-9]{6,14}\Z", required=False, default="+79161234567")
    message = serializers.CharField(required=False, default="Wi-Fi: пароль <1234>", max_length=2000)


class GatewayPreview(OneView):
    """See the request that a gateway would make, without making it."""

    resource = GATEWAYS
    rights: ClassVar = {"POST": (Right.SMS_GATEWAY_UPDATE,)}
    audited = False
    inputs: ClassVar = {"POST": SampleInput}
    examples: ClassVar = {"POST": Example({"request": PREVIEW, "status": 200}, {"phone_number": "+79161234567"})}
    wire_names: ClassVar = {"phone": "phone_number", "text": "message"}

    def post(self, request: Request, **named: str) -> Response:
        """The exact request for a sample message; secrets are masked and nothing is sent."""
        sample = self.validated(SampleInput)
        return Response({"request": asdict(_previewed(self.find(), sample["phone_number"], sample["message"]))})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"request": {"type": "object"}, "status": {"type": "integer"}}


def _previewed(gateway: Gateway, phone: str, text: str) -> preview.Preview:
    """Raises Refusal where the provider's file refuses the sample, or cannot be opened."""
    now = timezone.now()
    sms = OutboundSms("portal-sample-1", phone, text, gateway.sender, now + timedelta(minutes=10), number=1)
    try:
        return preview.preview(gateway.open(), sms)
    except Refused as refused:
        raise Refusal(refused.reason, field="text") from None
    except (KeyError, KeyMissing):
        raise Refusal("The gateway cannot be opened; see its last error.", why=Why.CONFLICT) from None
