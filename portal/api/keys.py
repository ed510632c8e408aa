"""The collection `api_keys`: the keys of programs, made, shown in one answer only, and revoked."""

from typing import Any, ClassVar

from django.db.models import JSONField, QuerySet, Value
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal import key_makers, keys, narrowing
from portal.api.authentication import credentials
from portal.api.collection import CollectionView, ReadView, ResourceView, SearchView
from portal.api.commit import Done, commit, commit_once
from portal.api.inputs import Input, Moment
from portal.api.resources import Resource, address, moment, number, shown, text
from portal.api.views import Example, Ref
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.permissions import Right, may_use_gateway, scope_of

READ = (Right.SYSTEM_READ,)
LIST_OF_TEXTS = serializers.ListField(child=serializers.CharField())


def _rows() -> QuerySet[ApiKey]:
    # The ground knows no gateways to join: their names are asked for once, and every row brings them along.
    names = Value(narrowing.gateway_names(), output_field=JSONField())
    return ApiKey.objects.select_related("user", "made_by").defer("digest").annotate(gateway_names=names)


def _gateways(key: Any) -> list[str | None]:
    """By name; one that was deleted has none any more."""
    return [key.gateway_names.get(str(number)) for number in key.gateways]


API_KEYS = Resource(
    singular="api_key",
    key="id",
    rows=_rows,
    ordering=("-created", "-id"),
    columns={
        "id": number("id"),
        "user": text("user__username"),
        "name": text("name"),
        "beginning": text("beginning"),
        "state": shown(lambda key: keys.state_of(key).value, serializers.ChoiceField(choices=list(narrowing.State))),
        "rights": shown(lambda key: key.rights, LIST_OF_TEXTS),
        "sms_gateways": shown(_gateways, serializers.ListField(child=serializers.CharField(allow_null=True))),
        "networks": shown(lambda key: key.networks, LIST_OF_TEXTS),
        "expires_at": moment("expires_at", nullable=True),
        "revoked_at": moment("revoked_at", nullable=True),
        "created": moment("created"),
        "made_by": text("made_by__username", nullable=True),
        "last_used": moment("last_used", nullable=True),
        "last_address": address("last_address", nullable=True),
    },
    example={
        "id": 7, "user": "hotel-desk", "name": "the booking system", "beginning": "gsp_3fA9c1", "state": "valid",
        "rights": ["SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE"], "sms_gateways": ["sandbox"],
        "networks": ["192.168.10.0/24"], "expires_at": None, "revoked_at": None, "created": "2026-11-22T12:00:00Z",
        "made_by": "admin", "last_used": None, "last_address": None,
    },
)  # fmt: skip


class KeyInput(Input):
    """A key to make. Lists that are empty narrow nothing."""

    user = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=150, help_text="Whose it is; your own unless given"
    )
    name = serializers.CharField(max_length=narrowing.LONGEST_NAME)
    rights = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Right)), required=False, default=list, max_length=len(Right)
    )
    sms_gateways = serializers.ListField(
        source="gateways", child=serializers.CharField(max_length=100), required=False, default=list, max_length=1000
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, default=list, max_length=100
    )
    expires_at = Moment(required=False, default=None, allow_null=True)


class _KeysView(ResourceView):
    """Keys as they exist for who asks."""

    resource = API_KEYS

    def rows(self) -> QuerySet[ApiKey]:
        """Of a key that is for some gateways, no key that is for others: they do not exist for it."""
        rows: QuerySet[ApiKey] = super().rows()
        scope = scope_of(self.caller)
        if scope is None or scope.gateways is None:
            return rows
        known = rows.values_list("pk", "gateways")
        return rows.filter(pk__in=[pk for pk, gateways in known if gateways and scope.gateways.issuperset(gateways)])


class ApiKeys(_KeysView, CollectionView):
    """The keys that programs come in with, the newest first; never the keys themselves.

    A new key is in the answer that made it, in `key`, and nowhere else: only its digest is kept. So no answer is kept
    for a repeat; one is refused, because a user has no two keys of one name. A key of somebody else takes the right
    SYSTEM_UPDATE as well, and every right that they hold.
    """

    rights: ClassVar = {"GET": READ, "POST": key_makers.OWN}
    inputs: ClassVar = {"POST": KeyInput}
    parameters: ClassVar = {"GET": CollectionView.parameters["GET"]}
    examples: ClassVar = {
        "POST": Example(
            {"id": 7, "message": "'7' created", "key": "gsp_…", "status": 201},
            {
                "user": "hotel-desk",
                "name": "the booking system",
                "rights": ["SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE"],
                "sms_gateways": ["sandbox"],
                "networks": ["192.168.10.0/24"],
            },
            201,
        )
    }
    named_by: ClassVar = "name"
    wire_names: ClassVar = {"gateways": "sms_gateways"}

    def get(self, request: Request) -> Response:
        """Each with what it is for, and when and from where it was last used."""
        return super().get(request)

    def post(self, request: Request) -> Response:
        """Make a key."""
        fields = self.validated(KeyInput)
        done = commit_once(self, lambda: self._made(fields))
        return Response(dict(done.body), status=done.status, headers=dict(done.headers))

    def _made(self, fields: dict[str, Any]) -> Done:
        fields |= {"user": self._user(fields["user"]), "gateways": self._gateways(fields["gateways"])}
        row, key = key_makers.make(self.caller, **fields, within=credentials.narrowing_of(self.request.auth))
        headers = {"Location": self.resource.location(row)}
        body = {"id": row.pk, "message": f"'{row.pk}' created", "key": key}
        return Done(body, 201, object_id=str(row), headers=headers)

    def _user(self, name: str) -> User:
        found = User.objects.filter(username=name, is_active=True).first() if name else self.caller
        if found is None:
            raise Refusal(f"There is no user “{name}”.", field="user")
        return found

    def _gateways(self, names: list[str]) -> list[int]:
        known = {name: pk for pk, name in narrowing.gateway_names().items() if may_use_gateway(self.caller, pk)}
        if unknown := [name for name in names if name not in known]:
            raise Refusal(f"There is no gateway “{unknown[0]}”.", field="gateways")
        return [known[name] for name in dict.fromkeys(names)]

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return shape | {"key": {"type": "string"}} if method == "POST" else shape


class ApiKeySearch(_KeysView, SearchView):
    """Keys that a query finds."""

    rights: ClassVar = {"POST": READ}


class ApiKeyView(_KeysView, ReadView):
    """One key."""

    rights: ClassVar = {"GET": READ, "DELETE": (Right.SYSTEM_READ, Right.SYSTEM_DELETE)}
    examples: ClassVar = {"DELETE": Example({"message": "Revoked 7", "status": 200})}

    def delete(self, request: Request, **named: str) -> Response:
        """Revoke it, with the next call and for good. It stays on the list."""
        return commit(self, self._revoked)

    def _revoked(self) -> Done:
        found: ApiKey = self.find()
        before = keys.state_of(found)
        if keys.revoke(found):
            self.audit_changes = {"state": (before.value, narrowing.State.REVOKED.value)}
        return Done({"message": f"Revoked {found.pk}"}, object_id=str(found))
