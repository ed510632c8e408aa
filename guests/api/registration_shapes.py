"""What the calls of a registration answer, as the OpenAPI document has it."""

from typing import Any

from rest_framework import serializers

from guests.models import Stage
from messaging.whereabouts import Where


class SmsShape(serializers.Serializer[Any]):
    """Where the SMS with the code is; `sentence` is for the guest."""

    where = serializers.ChoiceField(choices=[where.value for where in Where])
    sentence = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class RegistrationShape(serializers.Serializer[Any]):
    """How a registration stands. What concerns the code is null once that is settled."""

    stage = serializers.ChoiceField(choices=Stage.values)
    reason = serializers.CharField(allow_blank=True)
    telephone = serializers.CharField()
    pid = serializers.CharField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    sms = SmsShape(allow_null=True)
    tries_left = serializers.IntegerField(allow_null=True)
    resend_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class StartedShape(RegistrationShape):
    """A registration that has begun, and the token by which it is known."""

    token = serializers.CharField()


class ConfirmedShape(RegistrationShape):
    """A registration whose code was typed, and the guest's password as long as it may be shown."""

    password = serializers.CharField(allow_null=True)


class TermsShape(serializers.Serializer[Any]):
    """The terms in one language."""

    id = serializers.IntegerField()
    lang = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField()
    text = serializers.CharField()
