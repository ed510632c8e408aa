"""What is tried out without sending: whether settings work, and which request they make."""

from dataclasses import asdict
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways import checking, samples
from gateways.api.gateways import GATEWAYS
from gateways.api.shapes import RequestShape
from gateways.models import is_phone
from portal.api.collection import OneView, ResourceView
from portal.api.inputs import Input
from portal.api.views import Example, Ref
from portal.permissions import Right

TEXT = {"type": "string"}
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
