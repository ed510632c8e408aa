"""The OpenAPI document: every operation with its rights, its errors and an example, read from what views declare."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from portal.api import parameters
from portal.api.authentication.keys import FIELD
from portal.api.views import ApiView
from portal.permissions import INCLUDED

#: As Runtel has it in its documentation.
ENVELOPE = "/api/"

#: What an error means, whatever the call.
ERRORS = {
    400: "The body is no JSON object, or the Idempotency-Key is none.",
    401: "No token, or one that has ended.",
    403: "A right is lacking; the message names it.",
    404: "What the call names does not exist.",
    409: "It is at odds with the present state, or the first request with this key is still open.",
    411: "The body comes in chunks, without a Content-Length.",
    413: "The body is too large.",
    422: "A field is missing or wrong; `errors` names it.",
    429: "Too many calls or sign-ins in this minute, or this host is blocked because too many were refused: "
    "come back after the time in Retry-After.",
    503: "It cannot be done at the moment, and may be in a few minutes.",
}

_TEXT = {"type": "string"}
_FAULT = {
    "type": "object",
    "description": "What is wrong with one field, one argument of a list or a search, or one message of a batch.",
    "properties": {
        "message": _TEXT,
        "field": _TEXT,
        "scope": {"type": "string", "description": "Of which argument `value` is"},
        "value": {},
        "index": {"type": "integer", "description": "Which message of a batch, starting from 0"},
        "reference": {"type": "string", "description": "Your own name for that message"},
    },
    "required": ["message"],
}
#: Errors as components: some calls repeat the status in the body, and none does with 401 and 403.
_SHORT_ERROR = {
    "type": "object",
    "properties": {"message": _TEXT, "errors": {"type": "array", "items": _FAULT}},
    "required": ["message"],
}
_ERROR = {
    "type": "object",
    "properties": {**_SHORT_ERROR["properties"], "status": {"type": "integer"}},  # type: ignore[dict-item]
    "required": ["message", "status"],
}


class OneOfSchemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What goes by several names: one of them is enough, where the framework's own would ask for all at once."""

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]


class BearerScheme(OneOfSchemes):  # type: ignore[no-untyped-call]
    """How the document names our tokens, by where they are given."""

    target_class = "portal.api.authentication.entry.BearerAuthentication"
    name = ["token", "session", "client"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        scopes = settings.OAUTH2_PROVIDER["SCOPES"]
        session = {"tokenUrl": "/api/v1/session", "refreshUrl": "/api/v1/session", "scopes": scopes}
        client = {"tokenUrl": "/oauth2/token", "scopes": scopes}
        return [
            {"type": "http", "scheme": "bearer", "description": "A token from POST /api/v1/login."},
            {"type": "oauth2", "flows": {"password": session}, "description": "One from POST /api/v1/session."},
            {"type": "oauth2", "flows": {"clientCredentials": client}, "description": "One of an OAuth2 client."},
        ]


class KeyScheme(OneOfSchemes):  # type: ignore[no-untyped-call]
    """How it names API keys."""

    target_class = "portal.api.authentication.entry.KeyAuthentication"
    name = ["key", "key_in_query"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key made in the admin."},
            {"type": "apiKey", "in": "query", "name": FIELD, "description": "The same in the address."},
        ]


class BasicScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How it names a password with every call."""

    target_class = "portal.api.authentication.entry.BasicAuthentication"
    name = "password"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "A user name with its password or an API key.",
        }


class PortalSchema(AutoSchema):
    """Describes an ApiView from its declarations; no view decorates itself for the document."""

    @property
    def declared(self) -> ApiView:
        return cast("ApiView", self.view)

    def map_parsers(self) -> list[Any]:
        return list(self.declared.takes)

    def get_summary(self) -> str:
        return self._sentences().partition("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]
        rights = self._rights()
        if self.declared.public:
            needed = "Needs no token."
        elif rights:
            needed = f"Needs the rights {', '.join(rights)}.{self._included()}"
        else:
            needed = "Needs a token and no right."
        return f"{self._sentences()}\n\n{needed}"

    def _included(self) -> str:
        """Which wide rights include the narrow ones that are enough."""
        narrow = [right for right in self.declared.rights.get(self.method, ()) if right in INCLUDED]
        return "".join(f" {INCLUDED[right]} includes {right}." for right in narrow)

    def _sentences(self) -> str:
        handler = getattr(self.declared, self.method.lower())
        return str(super().get_description() or handler.__name__)

    def get_tags(self) -> list[str]:
        return [self.declared.tag] if self.declared.tag else super().get_tags()

    def get_extensions(self) -> dict[str, Any]:
        return {"x-rights": self._rights()}

    def _rights(self) -> list[str]:
        return [right.value for right in self.declared.rights.get(self.method, ())]

    def get_override_parameters(self) -> list[Any]:
        in_path = [OpenApiParameter(name, str, OpenApiParameter.PATH) for name in self._path_names()]
        return [*in_path, *self.declared.parameters.get(self.method, ())]

    def _path_names(self) -> list[str]:
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]

    def get_response_serializers(self) -> Any:
        return OpenApiTypes.OBJECT

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        shape = self.declared.body_shape(self.method, self._ref)
        if shape is None:
            return None
        example = self.declared.example(self.method)
        content = {"schema": shape}
        bodies = [_content(kind, content, example.request if example else None) for kind in self.declared.takes]
        return {"required": True, "content": {kind: body for one in bodies for kind, body in one.items()}}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        example = self.declared.example(self.method)
        answer = _content(self.declared.gives, {"schema": self._answer()}, example.answer if example else None)
        others = [_content(kind, {"schema": {}}, shown) for kind, shown in self.declared.gives_also.items()]
        good = {
            "description": "Done.",
            "content": {kind: body for one in (answer, *others) for kind, body in one.items()},
        }
        errors = {str(code): self._error(code, meaning) for code, meaning in self._errors().items()}
        return {**errors, str(example.status if example else 200): good}

    def _answer(self) -> dict[str, Any]:
        if whole := self.declared.answers.get(self.method):
            return self._ref(whole())
        if own := self.declared.whole_answer(self.method, self._ref):
            return own
        properties = self.declared.answer_shape(self.method, self._ref)
        if self.declared.repeats(200):
            properties = {**properties, "status": {"type": "integer"}}
        always = [name for name in properties if name not in self.declared.sometimes]
        return {"type": "object", "properties": properties, "required": always}

    def _error(self, code: int, meaning: str) -> dict[str, Any]:
        if code in self.declared.in_plain_text:
            return {"description": meaning, "content": _content("text/plain", {"schema": _TEXT})}
        content = _content(self.declared.gives, {"schema": self._error_shape(code)})
        for kind in self.declared.gives_also:
            content |= _content(kind, {"schema": {}})
        return {"description": meaning, "content": content}

    def _error_shape(self, code: int) -> dict[str, Any]:
        if self.declared.error_shape is not None:
            return dict(self.declared.error_shape)
        repeats = self.declared.repeats(code)
        return self._component("Error", _ERROR) if repeats else self._component("ShortError", _SHORT_ERROR)

    def _component(self, name: str, shape: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, shape, name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return dict(component.ref)

    def _ref(self, serializer: Serializer[Any]) -> dict[str, Any]:
        found = self.resolve_serializer(serializer, "response")
        # A serializer without fields has no schema of its own.
        return dict(found.ref) if found else {"type": "object"}

    def _errors(self) -> Mapping[int, str]:
        if self.declared.errors is not None:
            return self.declared.errors
        known = {429, 503, *self.declared.refusals.get(self.method, ())}
        if not self.declared.public:
            known.update((401, 403))
        if self._path_names():
            known.add(404)
        if self.method != "GET" and self.declared.audited and not self.declared.public:
            known.add(409)
        if self.method in self.declared.inputs:
            known.update((400, 411, 413))
        if parameters.IDEMPOTENCY_KEY in self.declared.parameters.get(self.method, ()):
            known.add(400)
        if not self.declared.public and (
            self.method in self.declared.inputs or self.declared.parameters.get(self.method)
        ):
            known.add(422)
        return {code: ERRORS[code] for code in sorted(known)}


def _content(kind: str, content: dict[str, Any], example: Any = None) -> dict[str, Any]:
    return {kind: content if example is None else {**content, "example": example}}


def without_trailing_slash(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[tuple[str, str, str, Any]]:
    """Every path works with and without its last slash; the document shows the one without, but for the envelope's."""
    return [
        (path if path == ENVELOPE else path.rstrip("/"), path_regex, method, callback)
        for path, path_regex, method, callback in endpoints
    ]


@cache
def document() -> dict[str, Any]:
    """The whole OpenAPI document; routes do not change while a process runs."""
    # Whoever asks first may prefer another language.
    with translation.override("en"):
        built: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return built


class OpenApi(ApiView):
    """The document itself."""

    public = True
    adds_status = False
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())
