"""The parts of a whole message, as the OpenAPI document has them."""

from typing import Any

from rest_framework import serializers

from gateways.outcomes import Outcome, ReceiptState
from messaging.timeline import What


class WaitsShape(serializers.Serializer[Any]):
    """Why a message waits, and until when at the longest."""

    reason = serializers.CharField()
    message = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class AttemptShape(serializers.Serializer[Any]):
    """One time the message was handed to a gateway; `outcome` is empty until it is known."""

    sms_gateway = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Outcome.values, allow_blank=True)
    reference = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    exchange = serializers.DictField()


class ReceiptShape(serializers.Serializer[Any]):
    """What a provider reported."""

    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=ReceiptState.values)
    detail = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField()


class EntryShape(serializers.Serializer[Any]):
    """One thing that happened to the message."""

    at = serializers.DateTimeField()
    what = serializers.ChoiceField(choices=[what.value for what in What])
    message = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    sms_gateway = serializers.CharField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
