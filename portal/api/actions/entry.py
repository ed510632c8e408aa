"""The one address of the action envelope: which action is asked for, who may ask, and the answer's envelope."""

from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from portal.api import parameters
from portal.api.actions.action import Action, objects
from portal.api.actions.asked import Asked, EnvelopeInput, answered
from portal.api.actions.document import EnvelopeSchema
from portal.api.body_length import demand_length
from portal.api.throttles import SignIns
from portal.api.views import ApiView
from portal.permissions import Right
from portal.ways import WayIn, is_open


class Envelope(ApiView):
    """Have an action of an object done.

    Every call is a POST of an envelope, and is answered with one under HTTP 200: its `code` is the status that the
    API would answer with, `notifies` say what is wrong, `action_id` comes back as it was. `auth` of `User` gives a
    token; a token, a key or a password of any other way will do as well.
    """

    rights: ClassVar = {"POST": ()}
    adds_status: ClassVar = False
    inputs: ClassVar = {"POST": EnvelopeInput}
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    unfingerprinted: ClassVar = frozenset({"action_id"})
    http_method_names: ClassVar = ["post"]  # type: ignore[misc]
    schema = EnvelopeSchema()

    #: What could be read of the envelope, and the action that it asks for.
    asked = Asked()
    found: Action | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_open(WayIn.ENVELOPE):
            # The same as of an address that nobody knows.
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def turned_away(cls, _request: HttpRequest, sentence: str) -> HttpResponse | None:
        """What is told to a blocked host, before the call is looked at."""
        if not is_open(WayIn.ENVELOPE):
            return None
        return JsonResponse(answered(Asked(), 429, {"message": sentence}), status=429)

    def perform_authentication(self, request: Request) -> None:
        """Not of an action that gives a token: whoever asks for one may bring an old one."""
        try:
            if request.method == "POST":
                demand_length(request)
                self._read()
        except Exception:
            # Nobody is looked for where nobody knows what is asked.
            request.user, request.auth = AnonymousUser(), None
            raise
        if self._is_public(request):
            request.user, request.auth = AnonymousUser(), None
        else:
            super().perform_authentication(request)

    def _is_public(self, request: Request) -> bool:
        """Whether nobody need be known: for an action that gives a token, and for a method that there is not."""
        return request.method != "POST" or (self.found is not None and self.found.public)

    def _read(self) -> None:
        self.asked = Asked.of(self.body)
        self.asked.check(self.body)
        self.found = objects().get(self.asked.obj or "", {}).get(self.asked.action or "")
        self.audit_done = self.found is not None and self.found.reads

    def check_permissions(self, request: Request) -> None:
        if not self._is_public(request):
            super().check_permissions(request)

    def get_throttles(self) -> list[BaseThrottle]:
        """An action that gives a token is a sign-in."""
        of_sign_ins = [SignIns()] if self.found is not None and self.found.public else []
        return [*of_sign_ins, *super().get_throttles()]

    def needed_rights(self, request: Request) -> tuple[Right, ...]:
        """Those of the action; of one that there is not, none."""
        return self.found.rights if self.found else ()

    def post(self, request: Request) -> Response:
        """Do what the envelope asks for."""
        if self.found is None:
            raise NotFound(self._unknown())
        given = self.found.params(data=self.asked.params, context={"request": request, "view": self})
        given.is_valid(raise_exception=True)
        return self.found.do(self, dict(given.validated_data))

    def _unknown(self) -> str:
        known = objects()
        actions = known.get(self.asked.obj or "")
        if actions is None:
            return f"There is no object “{self.asked.obj}”. Known: {', '.join(known)}"
        return f"“{self.asked.obj}” has no action “{self.asked.action}”. Known: {', '.join(actions)}"

    def action_name(self) -> str:
        """`envelope.sms.append`; of what there is not, no name that a stranger made up."""
        return f"envelope.{self.asked.obj}.{self.asked.action}".lower() if self.found else "envelope"

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        # After the audit trail, which keeps the status itself.
        answer = super().finalize_response(request, response, *args, **kwargs)
        if request.method == "POST" and isinstance(answer, Response):
            answer.data = answered(self.asked, answer.status_code, answer.data)
            answer.status_code = 200
            answer.headers.pop("WWW-Authenticate", None)
        return answer
