"""DropInView, the base of every view that understands another system's calls: who calls, what is asked, what is told.

A system's view says where its calls carry what, and how it words an error:

    class SendSms(DropInView):
        \"\"\"Send a text, as the other system's `send` does.\"\"\"

        system = DropIn.SMSC
        name_field, password_field = "login", "psw"
        rights = {"GET": SENDING, "POST": SENDING}

        def refuse(self, fault: Fault) -> HttpResponse: ...
        def get(self, request: Request) -> HttpResponse: ...
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from gateways import routing
from messaging import opt_outs, sending
from messaging.dropin import fields, reading
from messaging.dropin.carried import Carried, CarriedAuthentication
from messaging.dropin.reading import FORM, MULTIPART, Call
from messaging.models import Message
from messaging.retries import Kind
from portal import audit, clock, permissions, versions
from portal.api.authentication import keys, tokens
from portal.api.authentication.refusals import NotSignedIn
from portal.api.commit import Done, StillOpen, commit, commit_once, commit_row_once
from portal.api.inputs import Input, shared
from portal.api.repeats import first_time, refuse_again
from portal.api.views import ApiView, Example
from portal.permissions import Right, may
from portal.ways import DropIn, is_open

#: Carried over from the answer of our own API to that of the system.
KEPT_HEADERS = ("Retry-After", "WWW-Authenticate")


@dataclass(frozen=True)
class Fault:
    """What is wrong, as our own API would say it: `status` is its status, `field` the name of a field of the call.

    `blocked`: the Defender has blocked the host, whatever it asks.
    """

    status: int
    sentence: str
    field: str = ""
    blocked: bool = False


class Fields(Input):
    """What a call may carry. What it does not know is passed over, as the systems themselves do."""

    asks_nobody: ClassVar = True

    def to_internal_value(self, data: Any) -> Any:
        return serializers.Serializer.to_internal_value(self, data)


class GatewayFields(Fields):
    """What a call may carry that is about a gateway."""

    sms_gateway = fields.text(max_length=100, help_text="The portal's own: the name of a gateway")


class DropInView(ApiView):
    """A call of another system. It exists only while that system's calls are understood."""

    #: Whose call it is.
    system: ClassVar[DropIn]
    #: In which charset it is written where nothing says so.
    charset: ClassVar[str] = "utf-8"
    #: Where it carries an API key, a name and a password.
    key_field: ClassVar[str] = keys.FIELD
    name_field: ClassVar[str] = "username"
    password_field: ClassVar[str] = "password"
    #: What is told to a call that carries nothing of the kind, where the system tells its programs why.
    who_calls: ClassVar[str] = ""

    adds_status: ClassVar = False
    #: A GET sends, too.
    harmless: ClassVar = frozenset({"OPTIONS"})
    takes: ClassVar[Sequence[str]] = (FORM, MULTIPART)
    #: A call and its answer, for the OpenAPI document.
    call_shown: ClassVar[Any] = {}
    answer_shown: ClassVar[Any] = ""
    http_method_names: ClassVar = ["get", "post"]  # type: ignore[misc]

    #: What the call was refused for.
    fault: Fault | None = None

    #: The status of a good answer.
    good: ClassVar[int] = 200

    def example(self, method: str) -> Example:
        return Example(self.answer_shown, self.call_shown if method == "POST" else None, self.good)

    def refuse(self, fault: Fault) -> HttpResponse:
        """The answer to a call that is refused, as the system words it. Must be made of whatever could be read."""
        raise NotImplementedError

    def carried(self) -> Carried:
        """What shows who calls. Raises BadCall."""
        return Carried(
            self._written(self.key_field),
            self._written(self.name_field),
            self._written(self.password_field),
            in_url=self.password_field in self.call.query,
        )

    def _written(self, name: str) -> str:
        return reading.text_of(self.call.get(name), self.charset_of(self.call), name)

    @cached_property
    def call(self) -> Call:
        """The fields of the call as bytes. Raises BadCall."""
        return reading.call_of(self.plain)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields of the call as texts. Raises BadCall."""
        charset = self.charset_of(self.call)
        both = {**self.call.query, **self.call.form}
        return {name: reading.text_of(value, charset, name) for name, value in both.items()}

    def charset_of(self, call: Call) -> str:
        """In which charset the call is written: what its Content-Type says, else the system's own."""
        return (self.plain.content_params or {}).get("charset") or self.charset

    @property
    def plain(self) -> HttpRequest:
        """The request without what the framework puts around it."""
        request: HttpRequest = getattr(self.request, "_request", self.request)
        return request

    @property
    def body(self) -> dict[str, Any]:
        """The fields of the call, wherever they are. Raises BadCall."""
        return dict(self.fields)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [CarriedAuthentication(self), *super().get_authenticators()]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        # One that is dealt with anew may have been refused by what was true before.
        self.fault = None
        return super().initialize_request(request, *args, **kwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_open(self.system):
            # The same as of an address that nobody knows.
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def turned_away(cls, request: HttpRequest, sentence: str) -> HttpResponse | None:
        """What is told to a blocked host, before the call is looked at; None where nobody is told of this call."""
        if not is_open(cls.system):
            return None
        view = cls()
        view.request = request  # type: ignore[assignment]
        return view.refuse(Fault(429, sentence, blocked=True))

    def handle_exception(self, exc: Exception) -> Any:
        told = super().handle_exception(exc)
        self.fault = _fault_of(exc, told)
        if self.who_calls and type(exc) is NotSignedIn and not tokens.presented_token(self.request):
            self.fault = replace(self.fault, sentence=self.who_calls)
        answer = self.refuse(self.fault)
        for name in KEPT_HEADERS:
            if name in told.headers:
                answer.headers[name] = told.headers[name]
        return answer

    def audit_event(self, status: int) -> audit.Event:
        """As everywhere; some systems say 200 to a call that they refuse, and the trail knows better."""
        return super().audit_event(self.fault.status if self.fault else status)

    def _request_to_audit(self) -> dict[str, Any]:
        """Without what stands in fields that nobody knows: under a name of its own a program may send a text."""
        given, shape = super()._request_to_audit(), self.inputs.get("POST")
        if shape is None:
            return given
        known = {*shared(shape).fields, self.name_field}
        return {name: value if name in known else audit.MASK for name, value in given.items()}

    def once(self, work: Callable[[], Done], own_key: str | None = None) -> dict[str, Any]:
        """Does the work and writes the audit trail in one transaction; the answer's body.

        `own_key` says what the call is about, where the system knows a repeat by it: that gets the answer of the first.
        Raises what `work` does, and StillOpen.
        """
        versions.confirm()
        if own_key is None:
            return dict(commit_once(self, work).body)
        try:
            return dict(commit(self, work, own_key=own_key).data)
        except StillOpen:
            raise StillOpen("The first call with this id has not ended; make it again.") from None

    def accept(
        self, told: Callable[[Message], Done], again: tuple[str, timedelta] | None = None, **wish: Any
    ) -> dict[str, Any]:
        """Accepts one message that may leave at once, in one statement where it can be; the answer's body.

        `wish` is what `sending.prepare` takes beside the caller. `told` is asked before the message has its id, which
        must not be looked at: a mark in the answer stands for it. `again` is what `refuse_again` takes, where the
        system refuses the same call for a while. Raises what that and `sending.send` do.
        """
        wish |= {"kind": Kind.INFORMATION, "requested_by": self.caller}
        message = sending.prepare(**wish)

        def work() -> Done:
            if again:
                refuse_again(self, *again)
            accepted = sending.send(**wish)
            done = told(accepted)
            return replace(done, object_id=done.object_id or str(accepted.pk))

        hindrance = opt_outs.unless_opted_out(message.phone)
        first = first_time(self, again[0]) if again else None
        done = commit_row_once(self, message, lambda: told(message), unless=hindrance, work=work, first=first)
        if not message._state.adding:
            sending.note_stored(message)
        return dict(done.body)

    def gateway_called(self, named: str, sender: str = "") -> str:
        """The name of the gateway to send through: the one that is named, else one that sends as `sender`, else none.

        With none the default gateway sends.
        """
        if named or not sender:
            return named
        found = routing.sending_as(sender, self.caller)
        return found.name if found else ""

    def own_messages(self) -> QuerySet[Message]:
        """The messages that the caller may ask about: its own, and all to whoever may read messages."""
        rows = Message.objects.select_related("gateway", "wanted").order_by("-id")
        rows = rows.filter(permissions.of_its_gateways(self.caller, "gateway", "wanted"))
        return rows if may(self.caller, Right.MESSAGES_READ) else rows.filter(requested_by=self.caller)


def still_to_come(due_at: datetime | None) -> datetime | None:
    """When to send; None, for at once, where that has passed while the call was looked at, which may take seconds."""
    return due_at if due_at and due_at > clock.now() else None


def _fault_of(exc: Exception, told: Any) -> Fault:
    """From the answer that our own API would give."""
    said: Mapping[str, Any] = told.data
    first: Mapping[str, str] = next(iter(said.get("errors", ())), {})
    sentence = first.get("message") or str(said.get("message", ""))
    field = first.get("field") or (str(getattr(exc, "field", "")) if isinstance(exc, APIException) else "")
    return Fault(told.status_code, sentence, field)
