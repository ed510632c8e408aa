"""Parts of what the API tells of gateways, as the OpenAPI document has them."""

from typing import Any

from rest_framework import serializers


class BalanceShape(serializers.Serializer[Any]):
    """What was left on an account, as the OpenAPI document has it."""

    amount = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    warning = serializers.IntegerField(min_value=0, max_value=3)


class RequestShape(serializers.Serializer[Any]):
    """A request as a preview shows it."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField(allow_blank=True)
