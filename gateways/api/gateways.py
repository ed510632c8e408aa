"""The API of gateways: the collection `sms_gateways`. On the wire a gateway's name is its `id`."""

from typing import Any, ClassVar

from rest_framework import serializers

from gateways import accounts, configuration, health, pace, standing
from gateways.api.shapes import BalanceShape
from gateways.models import Gateway, name_is_plain
from portal.api.authentication.refusals import ForSomeGateways
from portal.api.collection import CollectionView, ItemView, SearchView
from portal.api.inputs import Input
from portal.api.resources import Column, Resource, fraction, moment, number, shown, text, yes_no
from portal.permissions import Right, is_for_some_gateways, may


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
