"""The API of gateways: the collection `sms_gateways`. On the wire a gateway's name is its `id`."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from gateways import accounts, configuration
from gateways.models import Gateway, GatewayHealth, name_is_plain
from portal.api.collection import CollectionView, ItemView, SearchView
from portal.api.inputs import Input
from portal.api.resources import Resource, fraction, moment, number, shown, text, yes_no
from portal.permissions import Right

STATES = ("ok", "paused", "off")


def state_of(gateway: Gateway) -> str:
    """One of STATES: `off` when switched off, `paused` while its account is at fault."""
    if not gateway.enabled:
        return "off"
    return "paused" if paused_until(gateway) else "ok"


def paused_until(gateway: Gateway) -> Any:
    """The end of the pause it is in, if it is in one."""
    until = health_of(gateway).open_until
    return until if until and until > timezone.now() else None


def health_of(gateway: Gateway) -> GatewayHealth:
    """Its health; a gateway without the row has never had an error."""
    return getattr(gateway, "health", None) or GatewayHealth(gateway=gateway)


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
    "state": "ok",
    "paused_until": None,
    "last_error": "",
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
        "state": shown(state_of, serializers.ChoiceField(choices=STATES)),
        "paused_until": shown(paused_until, serializers.DateTimeField(allow_null=True)),
        "last_error": shown(lambda gateway: health_of(gateway).last_error),
        "last_error_at": moment("health__last_error_at", nullable=True),
        "created": moment("created"),
    },
    example=EXAMPLE,
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

    resource = GATEWAYS
    rights: ClassVar = {
        "GET": (Right.SMS_GATEWAY_READ,),
        "PATCH": (Right.SMS_GATEWAY_UPDATE,),
        "PUT": (Right.SMS_GATEWAY_UPDATE,),
        "DELETE": (Right.SMS_GATEWAY_DELETE,),
    }
    inputs: ClassVar = {"PATCH": GatewayChange, "PUT": GatewayChange}
    wire_names: ClassVar = {"name": "id"}

    def update(self, found: Gateway, fields: dict[str, Any]) -> Gateway:
        accounts.change(found, **fields)
        return found

    def remove(self, found: Gateway) -> None:
        accounts.delete(found)
