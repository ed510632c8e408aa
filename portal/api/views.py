"""ApiView, the base of every view of the API.

A view declares by HTTP method what it needs and takes:

    class SendSms(ApiView):
        \"\"\"Send a text to a phone.\"\"\"

        rights = {"POST": SENDING}
        inputs = {"POST": SmsInput}
        examples = {"POST": Example(request={"sms_gateway": "sandbox", ...}, answer={"message": "...", "item": {...}})}
        wire_names = {"phone": "phone_number", "gateway": "sms_gateway"}

        def post(self, request: Request) -> Response:
            sms = self.validated(SmsInput)
            return commit(self, lambda: Done({"message": "...", "item": ...}))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponseBase
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from portal import audit, callers, versions
from portal.api.authentication.entry import BearerAuthentication
from portal.api.body_length import demand_length
from portal.api.inputs import Input, describe, shared
from portal.api.negotiation import JsonOnly
from portal.api.throttles import Calls, SignIns
from portal.models import User
from portal.permissions import Right
from portal.versions import Outdated
from portal.ways import WayIn, is_open

#: Refers to a serializer's schema in the OpenAPI document.
Ref = Callable[[Serializer[Any]], dict[str, Any]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Example:
    """A call as the API's documentation shows it; as a text where it is not JSON."""

    answer: Mapping[str, Any] | str
    request: Mapping[str, Any] | str | None = None
    status: int = 200


class ApiView(APIView):
    """Checks rights, adds `status` to every answer, and writes the audit trail."""

    content_negotiation_class = JsonOnly

    #: All of these rights are needed for a method; `()` needs a signed-in user only. A method left out is refused.
    rights: ClassVar[Mapping[str, tuple[Right, ...]]] = {}
    #: It tells of all gateways, or sends through whichever the portal chooses: keys for some of them are refused.
    of_all_gateways: ClassVar[bool] = False
    #: Needs no token at all.
    public: ClassVar[bool] = False
    #: Gives something for a password or a secret: counted among the sign-ins of the caller's host.
    signs_in: ClassVar[bool] = False
    #: The way in that it is part of: while that is closed, it does not exist.
    way: ClassVar[WayIn | None] = None
    #: What the body may hold, by method; OPTIONS and the schema show it.
    inputs: ClassVar[Mapping[str, type[Input]]] = {}
    #: The shape of the answer, by method, for the OpenAPI document; `answer_shape` unless given.
    answers: ClassVar[Mapping[str, type[Serializer[Any]]]] = {}
    #: What of `answer_shape` an answer does not always hold.
    sometimes: ClassVar[frozenset[str]] = frozenset()
    #: A call with its answer, by method, for the OpenAPI document.
    examples: ClassVar[Mapping[str, Example]] = {}
    #: Query and header parameters, by method, for the OpenAPI document; each field of a serializer is one in the query.
    parameters: ClassVar[Mapping[str, Sequence[OpenApiParameter | type[Serializer[Any]]]]] = {}
    #: Errors to document beyond those that follow from the rest, by method.
    refusals: ClassVar[Mapping[str, Sequence[int]]] = {}
    #: Errors that are answered in plain text.
    in_plain_text: ClassVar[frozenset[int]] = frozenset()
    #: Under which heading the OpenAPI document shows the view; the first part of its path unless given.
    tag: ClassVar[str] = ""
    #: From the domain's own names to those on the wire, for the field a Refusal names.
    wire_names: ClassVar[Mapping[str, str]] = {}
    #: Whether `status` is repeated in the body; the calls of PacketFence's gateway do not.
    adds_status: ClassVar[bool] = True
    #: Whether unsafe methods are written to the audit trail; a search is a POST that changes nothing.
    audited: ClassVar[bool] = True
    #: Methods that change nothing, and so are not written there.
    harmless: ClassVar[frozenset[str]] = SAFE
    #: What kinds of body it takes, and what kind it answers with.
    takes: ClassVar[Sequence[str]] = ("application/json",)
    gives: ClassVar[str] = "application/json"
    #: Other kinds that a caller may ask for, each with an example.
    gives_also: ClassVar[Mapping[str, Any]] = {}
    #: Every error and what it means, where those that follow from the rest are not those that are answered.
    errors: ClassVar[Mapping[int, str] | None] = None
    #: The shape of an error as OpenAPI has it, where it is not the API's own.
    error_shape: ClassVar[Mapping[str, Any] | None] = None
    #: Fields that say how to answer and not what to do: a repeat with the same Idempotency-Key may change them.
    unfingerprinted: ClassVar[frozenset[str]] = frozenset()
    #: The most bytes a body may have; DATA_UPLOAD_MAX_MEMORY_SIZE unless given.
    largest_body: ClassVar[int | None] = None
    #: The list in the body whose items the view judges each by itself: those that nothing can store come as Unstorable.
    judges_each_of: ClassVar[str] = ""
    #: Whether it may begin by what was last known of who may do what: only for views that do nothing but `commit_row`,
    #: whose one statement writes only where that is still so, or that `versions.confirm` before they do anything else.
    #: Such a view may be called twice for one request, and keeps nothing that it concluded from what was known.
    guesses: ClassVar[bool] = False
    #: What the audit trail calls this; the route's name unless given.
    action: ClassVar[str] = ""

    #: The field of the body that names on what a refused call would have acted, where its URL names nothing.
    named_by: ClassVar[str] = ""

    #: On what the call acted; taken from the URL unless a view knows better.
    audit_object: str = ""
    #: Who tried to sign in, where nobody is signed in.
    audit_name: str = ""
    #: Old and new values of what the call changed.
    audit_changes: audit.Changes = {}
    #: Set where the event was committed together with the work.
    audit_done: bool = False

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A public view does not look at tokens: a stale one must not keep anybody from signing in."""
        return [] if self.public else super().get_authenticators()

    def get_throttles(self) -> list[BaseThrottle]:
        """Sign-ins are calls, too."""
        return [SignIns(), Calls()] if self.signs_in else [Calls()]

    def get_authenticate_header(self, request: Any) -> str:
        """What a 401 asks for; without it the framework would answer 403."""
        return BearerAuthentication().authenticate_header(request)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The language is said here, because the middleware would name the one that the browser prefers."""
        return {**super().default_response_headers, "Content-Language": "en"}

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object. Raises BadBody."""
        return dict(self.request.data)

    @property
    def caller(self) -> User:
        """Who is signed in. Only for views that ask for a right."""
        user = self.request.user
        if not isinstance(user, User):
            raise NotAuthenticated
        return user

    def validated(self, serializer: type[Input], *, partial: bool = False) -> dict[str, Any]:
        """The body as the serializer understands it. Raises ValidationError, which is answered with 422."""
        if serializer.asks_nobody and not partial:
            return dict(shared(serializer).run_validation(self.body))
        given = serializer(data=self.body, partial=partial, context={"request": self.request, "view": self})
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls and whether they may, as the framework does it; then whether there is a body that can be read."""
        if self.way is not None and not is_open(self.way):
            raise NotFound(f"Unknown path {request.path}")
        super().initial(request, *args, **kwargs)
        demand_length(request)

    def perform_authentication(self, request: Request) -> None:
        """As the framework's, and asked once: where it failed, the audit trail knows nobody and does not ask again."""
        try:
            super().perform_authentication(request)
        except Exception:
            request.user, request.auth = AnonymousUser(), None
            raise

    def needed_rights(self, request: Request) -> tuple[Right, ...] | None:
        """The rights for this method, or None where the view declares none. A method it has not is 405 later."""
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS":
            return self.rights.get("OPTIONS", self.rights.get("GET", next(iter(self.rights.values()), None)))
        if not hasattr(self, method.lower()):
            return ()
        return self.rights.get(method)

    def example(self, method: str) -> Example | None:
        """The call that the OpenAPI document shows."""
        return self.examples.get(method)

    def body_shape(self, method: str, ref: Ref) -> dict[str, Any] | None:
        """What the body may hold as OpenAPI has it, None where there is none; `ref` refers to a serializer's."""
        shape = self.inputs.get(method)
        return ref(shape(partial=method == "PATCH")) if shape else None

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any] | None:
        """A good answer as OpenAPI has it, where it is no JSON; else None, and `answer_shape` says what is in it."""
        return None

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        """The properties of a good answer as OpenAPI has them, but for `status`; `ref` refers to a serializer's."""
        return {"message": {"type": "string"}}

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The fields that a body may hold."""
        serializer = next(iter(self.inputs.values()), None)
        return Response({"meta": describe(serializer()) if serializer else {}})

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # The API speaks one language whatever the browser of its caller prefers, lazy texts included.
        with translation.override("en"):
            try:
                return self._dispatch(request, *args, guesses=self.guesses, **kwargs)
            except Outdated:
                return self._dispatch(request, *args, guesses=False, **kwargs)

    def _dispatch(self, request: Any, *args: Any, guesses: bool, **kwargs: Any) -> HttpResponseBase:
        with versions.read_once(guesses=guesses):
            response = super().dispatch(request, *args, **kwargs)
            return response.render() if isinstance(response, Response) else response

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """As the framework's; one that is dealt with anew has its body, which can be read once."""
        fresh = super().initialize_request(request, *args, **kwargs)
        former = self.request.__dict__ if isinstance(self.request, Request) else {}
        fresh.__dict__.update({name: former[name] for name in ("_data", "_files", "_full_data") if name in former})
        return fresh

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Outdated):
            raise exc
        return super().handle_exception(exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        # Nobody is refused by a guess either.
        try:
            versions.confirm()
        except (DatabaseError, InterfaceError) as error:
            response = self.handle_exception(error)
        if isinstance(response, Response) and isinstance(response.data, dict) and self.repeats(response.status_code):
            response.data = {**response.data, "status": response.status_code}
        if self.audited and not self.audit_done and request.method not in self.harmless:
            audit.record(self.audit_event(response.status_code))
        return super().finalize_response(request, response, *args, **kwargs)

    def repeats(self, status: int) -> bool:
        """Whether an answer with this status says so in its body too."""
        return self.adds_status and status not in {401, 403}

    def audit_event(self, status: int) -> audit.Event:
        """This call as the audit trail keeps it."""
        user = self.request.user
        request = self._request_to_audit()
        in_url = "/".join(str(value) for value in self.kwargs.values())
        return audit.Event(
            action=self.action_name(),
            status=status,
            user=user if isinstance(user, User) else None,
            user_name=self.audit_name,
            address=callers.address_of(self.request),
            object_id=self.audit_object or in_url or self._named(request, status),
            method=str(self.request.method),
            path=self.request.path,
            request=request,
            changes=self.audit_changes,
        )

    def _named(self, request: Mapping[str, Any], status: int) -> str:
        # An accepted call knows better, and its repeat must not seem to have acted on something else.
        named = request.get(self.named_by) if status >= HTTPStatus.BAD_REQUEST else ""
        return named if isinstance(named, str) else ""

    def action_name(self) -> str:
        """What the audit trail calls this."""
        match = self.request.resolver_match
        return self.action or (match.view_name if match else "") or type(self).__name__

    def _request_to_audit(self) -> dict[str, Any]:
        # Strangers do not fill our database with what they send.
        if isinstance(self.request.user, AnonymousUser):
            return {}
        try:
            return self.body
        except (APIException, OSError, ValueError):
            return {}
