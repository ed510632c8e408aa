"""Signing in and out of the API, and what a token may do. The answers are PacketFence's, down to their keys."""

from datetime import UTC
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal import callers, expiry
from portal.api import parameters
from portal.api.authentication import another_site, credentials, passwords, tokens
from portal.api.authentication.refusals import Elsewhere, NotSignedIn
from portal.api.commit import Done, commit_once
from portal.api.inputs import Input
from portal.api.lenient_json import BadBody
from portal.api.views import ApiView, Example
from portal.models import User
from portal.permissions import rights_of
from portal.strangers import name_to_keep
from portal.ways import WayIn

UNKNOWN_TOKEN = "Couldn't find any information for the current token. Either it is invalid or it has expired."


class Credentials(Input):
    """What a login takes."""

    username = serializers.CharField()
    password = serializers.CharField(style={"input_type": "password"})


class TokenAnswer(serializers.Serializer[Any]):
    """A token: 64 hexadecimal digits."""

    token = serializers.RegexField(r"^[0-9a-f]{64}$")


class TokenItem(serializers.Serializer[Any]):
    """Whose the token is, what it may do and until when, should it not be used again."""

    username = serializers.CharField()
    admin_roles = serializers.ListField(child=serializers.CharField())
    admin_actions = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(
        default_timezone=UTC, allow_null=True, help_text="null: an API key that does not end by itself"
    )
    way = serializers.ChoiceField([way.value for way in WayIn], help_text="By which way in it was given")
    account_ends_at = serializers.DateTimeField(
        default_timezone=UTC, required=False, help_text="There where the account itself ends"
    )


class TokenInfoAnswer(serializers.Serializer[Any]):
    """What `token_info` answers."""

    item = TokenItem()


class Login(ApiView):
    """Exchange a user name and a password for a token.

    The token lives while two requests are never more than 15 minutes apart, and at most 12 hours.
    """

    public = True
    signs_in = True
    way = WayIn.LOGIN
    adds_status = False
    inputs = {"POST": Credentials}
    refusals = {"POST": (401, 403)}
    in_plain_text = frozenset({400})
    answers = {"POST": TokenAnswer}
    examples = {"POST": Example({"token": "4f" * 32}, {"username": "admin", "password": "••••••••"})}

    def post(self, request: Request) -> Response:
        another_site.refuse(request)
        username, password = self._credentials()
        self.audit_name = name_to_keep(username)
        user = request.user = passwords.sign_in(request, username, password)
        address = callers.address_of(request)
        answer = commit_once(self, lambda: Done({"token": tokens.issue(user, address)[1]}))
        return Response(answer.body)

    def _credentials(self) -> tuple[str, str]:
        """Name and password, empty where missing; like Go's reader, blind to the case of keys and to other keys."""
        given = {name.lower(): value for name, value in self.body.items()}
        username, password = given.get("username") or "", given.get("password") or ""
        if not isinstance(username, str) or not isinstance(password, str):
            raise BadBody("username and password must be strings.")
        return username, password

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, BadBody):
            return HttpResponse(exc.reason, status=400, content_type="text/plain; charset=utf-8")
        return super().handle_exception(exc)


class TokenInfo(ApiView):
    """What the token or the API key at hand may do. `?no-expiration-extension=1` asks without using a token."""

    public = True
    adds_status = False
    answers = {"GET": TokenInfoAnswer}
    #: A key in the address, and the browser says that a page of another site sent it: 403.
    refusals = {"GET": (403, 404)}
    parameters = {"GET": (parameters.NO_EXTENSION,)}
    examples = {
        "GET": Example(
            {
                "item": {
                    "username": "operator",
                    "admin_roles": ["SMS operator"],
                    "admin_actions": ["SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE", "SYSTEM_CREATE"],
                    "expires_at": "2026-11-22T12:15:30Z",
                    "way": "login",
                }
            }
        )
    }

    def get(self, request: Request) -> HttpResponseBase:
        uses = request.query_params.get("no-expiration-extension", "") in {"", "0", "false"}
        try:
            credential = credentials.of_request(request, uses=uses)
        except (NotSignedIn, Elsewhere):
            return Response({"message": UNKNOWN_TOKEN}, status=404)
        return Response({"item": TokenItem(_item(credential)).data})


class Logout(ApiView):
    """End the token at hand, and what would renew it. It is ours: PacketFence has none."""

    rights = {"POST": ()}
    examples = {"POST": Example({"message": "Logged out", "status": 200})}

    def post(self, request: Request) -> Response:
        """End it. There must be one: a key or a password that comes with every call cannot be logged out."""

        def work() -> Done:
            credentials.end(request.auth)
            return Done({"message": "Logged out"})

        answer = commit_once(self, work)
        return Response(answer.body)


def _item(credential: Any) -> dict[str, Any]:
    user: User = credential.user
    roles = sorted(user.groups.values_list("name", flat=True))
    end = expiry.end_of(user)
    return ({"account_ends_at": end} if end else {}) | {
        "username": user.get_username(),
        "admin_roles": ["ALL", *roles] if user.is_superuser else roles,
        "admin_actions": sorted(rights_of(user)),
        "expires_at": credentials.end_of(credential),
        "way": credentials.kind_of(credential),
    }
