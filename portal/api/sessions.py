"""Tokens for passwords that are renewed by other tokens, and tokens for the secrets of OAuth2 clients."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import grants
from portal.api.authentication import another_site
from portal.api.client_grants import ClientGrants
from portal.api.grants import Grants, SessionGrants
from portal.api.inputs import Input
from portal.api.lenient_json import BadBody, is_storable
from portal.api.token_forms import FORM, TokenFormParser
from portal.api.views import ApiView, Example
from portal.ways import WayIn, is_open

#: What RFC 6749 calls an answer of ours that it has no word for itself (5.2, and 4.1.2.1).
CODES = {
    400: "invalid_request",
    401: "invalid_grant",
    403: "access_denied",
    411: "invalid_request",
    413: "invalid_request",
    503: "temporarily_unavailable",
}
ERRORS = {
    400: "`invalid_request`, `unsupported_grant_type`, `unauthorized_client`, `invalid_scope`, or `invalid_grant`: a "
    "refresh token that is unknown, was used before, or has ended.",
    401: "`invalid_client`: no such client, a wrong secret, or a client that has ended or is for other networks; or "
    "`invalid_grant`: a wrong name or password.",
    403: "The password is right, and this account may not come in by the API.",
    404: "This way in is closed.",
    411: "The body comes in chunks, without a Content-Length.",
    413: "The body is too large.",
    429: "Too many sign-ins from this host: come back after the time in Retry-After.",
    503: "It cannot be done at the moment, and may be in a few minutes.",
}
_TEXT = {"type": "string"}
#: RFC 6749, 5.2, with our own `message` beside it; some errors are told before anything is known of OAuth2.
ERROR = {
    "type": "object",
    "properties": {"error": _TEXT, "error_description": _TEXT, "message": _TEXT},
    "required": ["message"],
}
#: What is looked for in the address: each by its first name, or by the other one. Source: Mobile SMARTS, «Авторизация в
#: системе через REST API», «Авторизация методом GET», which says `login` and shows `username`.
IN_ADDRESS = {
    "username": ("username", "login"),
    "password": ("password",),
    "client_id": ("client_id",),
    "client_secret": ("client_secret",),
}


class ClientInput(Input):
    """What a client sends; its id and secret may be in a Basic header instead."""

    grant_type = serializers.ChoiceField(["client_credentials"])
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False, style={"input_type": "password"})
    scope = serializers.CharField(required=False)


class SessionInput(Input):
    """A name and a password, or the token that renews a session."""

    grant_type = serializers.ChoiceField(["password", "refresh_token"])
    username = serializers.CharField(required=False)
    password = serializers.CharField(required=False, style={"input_type": "password"})
    refresh_token = serializers.CharField(required=False, style={"input_type": "password"})
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False, style={"input_type": "password"})


class ClientAnswer(serializers.Serializer[Any]):
    """A token of a client (RFC 6749, 4.4.3)."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["Bearer"])
    expires_in = serializers.IntegerField()
    scope = serializers.CharField()


class SessionAnswer(serializers.Serializer[Any]):
    """Both tokens, under the names that Mobile SMARTS prints and under those of RFC 6749."""

    Access_token = serializers.CharField()
    Token_type = serializers.ChoiceField(["bearer"])
    Expires_in = serializers.IntegerField()
    Refresh_token = serializers.CharField()
    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField()
    refresh_token = serializers.CharField()


def in_both_spellings(token: Mapping[str, Any]) -> dict[str, Any]:
    """Source: Mobile SMARTS, «Авторизация в системе через REST API», «Ответ сервера»: `Access_token`, `Token_type:
    "bearer"`, `Expires_in`, `Refresh_token`; its clients may look for either.
    """
    names = ("access_token", "token_type", "expires_in", "refresh_token")
    both = {name: token[name] for name in names} | {"token_type": "bearer"}
    return {name.capitalize(): value for name, value in both.items()} | both


class TokenView(ApiView):
    """What both kinds of endpoints share; errors are RFC 6749's, with a sentence of ours."""

    public: ClassVar = True
    signs_in: ClassVar = True
    adds_status: ClassVar = False
    parser_classes: ClassVar = [TokenFormParser]  # type: ignore[misc]
    takes: ClassVar = (FORM, "application/json")
    errors: ClassVar = ERRORS
    error_shape: ClassVar = ERROR
    harmless: ClassVar = frozenset({"OPTIONS"})
    #: A HEAD would be a GET, which is not without consequences here.
    http_method_names: ClassVar = ["get", "post", "options"]  # type: ignore[misc]

    grants: ClassVar[type[Grants]]

    def post(self, request: Request) -> Response:
        if request.query_params:
            raise BadBody("Parameters belong into the body, not into the address.")
        return self.granted(self.body)

    def granted(self, fields: dict[str, Any]) -> Response:
        """The answer to a call with these fields."""
        another_site.refuse(self.request)
        body, status, headers = grants.answer(self.grants, self, fields)
        return Response(body if "error" in body else self.token_of(body), status, headers=headers)

    def token_of(self, token: dict[str, Any]) -> dict[str, Any]:
        """How the token is answered."""
        return token

    def handle_exception(self, exc: Exception) -> Any:
        told = super().handle_exception(exc)
        if told.status_code in CODES:
            told.data = {"error": CODES[told.status_code], **told.data}
        return told


class ClientTokens(TokenView):
    """Exchange a client's id and secret for a token.

    OAuth2 client credentials (RFC 6749, 4.4). The token acts as the user whom the client was set up for, within the
    rights, gateways and networks that the client is for; it lasts an hour unless the administrator says otherwise, and
    no longer than its client. It is not renewed: ask for the next one.
    """

    way = WayIn.OAUTH2
    tag = "session"
    grants = ClientGrants
    inputs = {"POST": ClientInput}
    answers = {"POST": ClientAnswer}
    examples = {
        "POST": Example(
            {
                "access_token": "2YotnFZFEjr1zCsicMWpAA2YotnFZF",
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": "api",
            },
            {"grant_type": "client_credentials", "client_id": "monitoring", "client_secret": "••••••••"},
        )
    }


class SessionTokens(TokenView):
    """Exchange a user name and a password for a token and one that renews it.

    As in Mobile SMARTS. With `grant_type=refresh_token` both tokens become new. A refresh token that was used before
    ends the whole session. A `client_id` that nobody set up is passed over, unless the administrator says otherwise.
    """

    way = WayIn.SESSION
    tag = "session"
    grants = SessionGrants
    inputs = {"POST": SessionInput}
    answers = {"POST": SessionAnswer}
    examples = {
        "POST": Example(
            in_both_spellings(
                {
                    "access_token": "2YotnFZFEjr1zCsicMWpAA2YotnFZF",
                    "expires_in": 86400,
                    "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIAtGzv3JOk",
                }
                | {"token_type": "bearer"}
            ),
            {"grant_type": "password", "username": "terminal", "password": "••••••••"},
        )
    }

    def token_of(self, token: dict[str, Any]) -> dict[str, Any]:
        return in_both_spellings(token)


class Sessions(SessionTokens):
    """Exchange a user name and a password for a token and one that renews it.

    As in Mobile SMARTS. With `grant_type=refresh_token` both tokens become new. A refresh token that was used before
    ends the whole session. The password may be in the address only where the administrator allows it: whoever writes
    addresses down would have it.
    """

    answers = {"POST": SessionAnswer, "GET": SessionAnswer}
    examples = {**SessionTokens.examples, "GET": Example(SessionTokens.examples["POST"].answer)}
    parameters = {
        "GET": (
            OpenApiParameter("username", str, required=True, description="Or `login`"),
            OpenApiParameter("password", str, required=True),
            OpenApiParameter("client_id", str),
            OpenApiParameter("client_secret", str),
        )
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "GET" and not is_open(WayIn.PASSWORD_IN_URL):
            raise NotFound(f"Unknown path {request.path}")
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        return self.granted(_in_address(request.query_params) | {"grant_type": "password"})


def _in_address(query: Mapping[str, str]) -> dict[str, str]:
    """Of IN_ADDRESS what is there. Raises BadBody for what nothing can store."""
    written = {name: [query[one] for one in spellings if query.get(one)] for name, spellings in IN_ADDRESS.items()}
    if not is_storable(written):
        raise BadBody("The address holds a NUL character.")
    return {name: values[0] for name, values in written.items() if values}
