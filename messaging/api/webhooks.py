"""The collection `webhooks`: whom the portal tells of events. A secret is answered once, where it is made."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import event_types, webhooks
from messaging.api.messages import NoInput
from messaging.models import Format, Webhook
from messaging.models.webhook import LONGEST_NAME, LONGEST_URL
from messaging.webhooks import Standing, standing_of
from portal import audit
from portal.api.authentication.refusals import ForSomeGateways
from portal.api.collection import AT_TIMES, CollectionView, ItemView, OneView, ResourceView, SearchView
from portal.api.commit import REPLAYED, Done, commit
from portal.api.inputs import Input
from portal.api.resources import Resource, choice, moment, number, shown, text, yes_no
from portal.api.views import Example, Ref
from portal.permissions import Right, is_for_some_gateways, may

SECRET = "whsec_…"
EXAMPLE = {
    "id": 3, "name": "hotel desk", "url": "https://desk.example.org/…", "events": ["message.delivered", "sms.received"],
    "format": "standard", "verify_tls": True, "enabled": True, "state": "ok", "waiting": 0, "failing_since": None,
    "rest_until": None, "last_failure": "", "last_success": "2026-11-22T12:00:02Z", "paused_at": None,
    "former_secret_until": None, "made_by": "admin", "created": "2026-11-22T11:00:00Z",
}  # fmt: skip

WEBHOOKS = Resource(
    singular="webhook",
    key="id",
    rows=lambda: webhooks.with_waiting(Webhook.objects.select_related("made_by")),
    of_all_gateways=True,
    ordering=("name",),
    columns={
        "id": number("id"),
        "name": text("name"),
        # What is behind the host may let in whoever knows it.
        "url": shown(lambda webhook: audit.mask_address(webhook.url)),
        "events": shown(lambda webhook: webhook.events, serializers.ListField(child=serializers.CharField())),
        "format": choice("format", Format.values),
        "verify_tls": yes_no("verify_tls"),
        "enabled": yes_no("enabled"),
        "state": shown(standing_of, serializers.ChoiceField(choices=Standing.values)),
        "waiting": shown(webhooks.waiting, serializers.IntegerField()),
        "failing_since": moment("failing_since", nullable=True),
        "rest_until": moment("rest_until", nullable=True),
        "last_failure": text("last_failure"),
        "last_success": moment("last_success", nullable=True),
        "paused_at": moment("paused_at", nullable=True),
        "former_secret_until": moment("former_until", nullable=True),
        "made_by": text("made_by__username", nullable=True),
        "created": moment("created"),
    },
    example=EXAMPLE,
)


class WebhookInput(Input):
    """A webhook to make. `format` `smsmobileapi_v1` is for old receivers of `sms.received`."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    url = serializers.CharField(max_length=LONGEST_URL, style={"placeholder": "https://desk.example.org/hooks"})
    events = serializers.ListField(child=serializers.CharField(max_length=50), max_length=50)
    format = serializers.ChoiceField(choices=Format.values, required=False, default=Format.STANDARD.value)
    verify_tls = serializers.BooleanField(required=False, default=True)
    enabled = serializers.BooleanField(required=False, default=True)


class MakesSecrets(ResourceView):
    """A view that answers a secret, once: a repeat with the same Idempotency-Key gets the answer without it."""

    sometimes: ClassVar = frozenset((*AT_TIMES, "secret"))
    secret: str = ""

    def with_secret(self, response: Response) -> Response:
        """The answer with the secret that this call has made, which is kept with no answer."""
        if self.secret and REPLAYED not in response.headers:
            response.data = {**response.data, "secret": self.secret}
        return response

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return {**shape, "secret": {"type": "string"}} if method == "POST" else shape


class Webhooks(MakesSecrets, CollectionView):
    """The webhooks: whom the portal tells of events."""

    resource = WEBHOOKS
    rights: ClassVar = {"GET": (Right.SYSTEM_READ,), "POST": (Right.SYSTEM_CREATE, Right.SYSTEM_READ)}
    inputs: ClassVar = {"POST": WebhookInput}
    examples: ClassVar = {
        "POST": Example(
            {"id": 3, "message": "'3' created", "secret": SECRET, "status": 201},
            {
                "name": "hotel desk",
                "url": "https://desk.example.org/hooks",
                "events": [event_types.DELIVERED, event_types.RECEIVED],
            },
            201,
        )
    }

    def post(self, request: Request) -> Response:
        """Add one; its secret is in this answer and in no later one. What is sent there its maker must be free to read.

        The answer says nothing of whether the receiver hears it: `webhook/{id}/test` does.
        """
        return self.with_secret(super().post(request))

    def create(self, fields: dict[str, Any]) -> Webhook:
        if is_for_some_gateways(self.caller):
            raise ForSomeGateways
        webhook, self.secret = webhooks.create(by=self.caller, **fields)
        return webhook


class WebhookSearch(SearchView):
    """Webhooks that a query finds."""

    resource = WEBHOOKS
    rights: ClassVar = {"POST": (Right.SYSTEM_READ,)}


class WebhookView(ItemView):
    """One webhook, and how it fares. Its whole address is for those who may change it."""

    resource = WEBHOOKS
    rights: ClassVar = {
        "GET": (Right.SYSTEM_READ,),
        "PATCH": (Right.SYSTEM_UPDATE,),
        "PUT": (Right.SYSTEM_UPDATE,),
        "DELETE": (Right.SYSTEM_DELETE,),
    }
    inputs: ClassVar = {"PATCH": WebhookInput, "PUT": WebhookInput}

    def item(self, row: Webhook) -> dict[str, Any]:
        item = super().item(row)
        return item | {"url": row.url} if may(self.caller, Right.SYSTEM_UPDATE) else item

    def update(self, found: Webhook, fields: dict[str, Any]) -> Webhook:
        return webhooks.change(found, by=self.caller, **fields)

    def remove(self, found: Webhook) -> None:
        webhooks.remove(found)


class Deed(OneView):
    """What is done to one webhook by a call that says nothing more."""

    resource = WEBHOOKS
    rights: ClassVar = {"POST": (Right.SYSTEM_UPDATE,)}
    inputs: ClassVar = {"POST": NoInput}

    def done(self, webhook: Webhook, sentence: str) -> Done:
        """The answer that shows the webhook as it is now."""
        return Done({"message": sentence, "item": self.item(webhook)}, object_id=str(webhook.pk))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {**super().answer_shape(method, ref), "item": ref(self.resource.shape())}


class RotateSecret(MakesSecrets, OneView):
    """Another secret; the present one signs too for 24 hours."""

    resource = WEBHOOKS
    rights: ClassVar = {"POST": (Right.SYSTEM_UPDATE,)}
    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {
        "POST": Example({"message": "Webhook 3 has another secret", "secret": SECRET, "status": 200}, {})
    }

    def post(self, request: Request, **named: str) -> Response:
        """Both secrets sign meanwhile, so that a receiver can change in its own time."""
        self.validated(NoInput)
        return self.with_secret(commit(self, self._rotate))

    def _rotate(self) -> Done:
        webhook, self.secret = webhooks.rotate(self.find())
        return Done({"message": f"Webhook {webhook.pk} has another secret"}, object_id=str(webhook.pk))


class Test(OneView):
    """Tell a webhook a `webhook.test`, and hear whether it answers."""

    resource = WEBHOOKS
    rights: ClassVar = {"POST": (Right.SYSTEM_UPDATE,)}
    inputs: ClassVar = {"POST": NoInput}
    examples: ClassVar = {
        "POST": Example(
            {"message": "it answered 204 after 31 ms", "works": True, "webhook_delivery": 40, "status": 200}, {}
        )
    }

    def post(self, request: Request, **named: str) -> Response:
        """At once, whether or not it is paused; one that fails is not repeated."""
        self.validated(NoInput)
        tested = webhooks.test(self.find())
        return Response({"message": tested.says, "works": tested.works, "webhook_delivery": tested.delivery.pk})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return {**shape, "works": {"type": "boolean"}, "webhook_delivery": {"type": "integer"}}


class Pause(Deed):
    """Tell a webhook nothing until it is resumed."""

    examples: ClassVar = {"POST": Example({"message": "Webhook 3 is paused", "item": EXAMPLE, "status": 200}, {})}

    def post(self, request: Request, **named: str) -> Response:
        """Events are kept for it for five days; 409 where it is paused already."""
        self.validated(NoInput)
        return commit(self, self._pause)

    def _pause(self) -> Done:
        webhook = webhooks.pause(self.find())
        return self.done(webhook, f"Webhook {webhook.pk} is paused")


class Resume(Deed):
    """Tell a webhook again, and at once all that waits for it."""

    examples: ClassVar = {"POST": Example({"message": "Webhook 3 is resumed", "item": EXAMPLE, "status": 200}, {})}

    def post(self, request: Request, **named: str) -> Response:
        """Whoever was paused or switched off, by a person or by failures, is told again; others need not wait."""
        self.validated(NoInput)
        return commit(self, self._resume)

    def _resume(self) -> Done:
        webhook = webhooks.resume(self.find())
        return self.done(webhook, f"Webhook {webhook.pk} is resumed")
