"""TargetSmsView, the base of every call of TargetSMS, and XmlView: who calls stands in the document, as errors do."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse

from gateways import xml
from messaging.dropin.carried import Carried
from messaging.dropin.door import DropInView, Fault
from messaging.dropin.targetsms import documents, words
from portal.api.views import Ref
from portal.errors import Refusal, Why
from portal.ways import DropIn

#: Who is told so is to come back; everything else is HTTP 200.
KEPT_STATUSES = frozenset({429, 500, 503})
LANGUAGE = "ru"
TEXT: Mapping[str, Any] = {"type": "string"}
LOGIN: Mapping[str, Any] = {"type": "object", "properties": {"value": {**TEXT, "xml": {"attribute": True}}}}
SECURITY = '<security><login value="hotel-desk"/><password value="••••••••"/></security>'


def shown(content: str, outside: str = "request") -> str:
    """A document as the API's documentation shows it."""
    return f'<?xml version="1.0" encoding="utf-8"?><{outside}>{content}</{outside}>'


def element_shape(texts: Sequence[str] = (), attributes: Sequence[str] = (), **inside: Any) -> dict[str, Any]:
    """An element as OpenAPI has it: with elements that hold a text, with attributes, and with other elements."""
    own = {name: {**TEXT, "xml": {"attribute": True}} for name in attributes}
    return {"type": "object", "properties": {**dict.fromkeys(texts, TEXT), **own, **inside}}


def several(shape: Mapping[str, Any]) -> dict[str, Any]:
    """So many of these as there are."""
    return {"type": "array", "items": shape}


class TargetSmsView(DropInView):
    """A call of TargetSMS: its errors are in Russian, and under HTTP 200 where nobody is to come back."""

    system = DropIn.TARGETSMS
    tag: ClassVar = "TargetSMS"
    errors: ClassVar[Mapping[int, str]] = {
        429: "Too many calls, or the host is blocked.",
        503: "It cannot be done at the moment.",
    }
    #: How an error of a whole call is worded, by the status that our own API would give.
    worded: ClassVar[Mapping[int, str]] = words.OF_STATUS

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Content-Language": LANGUAGE}

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Refusal) and exc.why not in {Why.TOO_MANY, Why.UNAVAILABLE}:
            return super().handle_exception(documents.Told(words.of(exc)))
        return super().handle_exception(exc)

    def refuse(self, fault: Fault) -> HttpResponse:
        status = fault.status if fault.status in KEPT_STATUSES else 200
        answer = self.error(self.said_of(fault), status)
        # Also where the door tells it, before anything of the view is asked.
        answer.headers["Content-Language"] = LANGUAGE
        return answer

    def said_of(self, fault: Fault) -> str:
        """What is told of it."""
        return self.worded.get(fault.status, fault.sentence)

    def error(self, said: str, status: int) -> HttpResponse:
        """The answer that says so."""
        raise NotImplementedError


class XmlView(TargetSmsView):
    """One document in, one document out."""

    takes: ClassVar = ("text/xml", "application/xml")
    gives: ClassVar = "text/xml"
    http_method_names: ClassVar = ["post"]  # type: ignore[misc]
    error_shape: ClassVar[Mapping[str, Any]] = element_shape(["error"]) | {"xml": {"name": "response"}}
    #: What a document holds beside `security`, and what the answer may hold beside `error`, as OpenAPI has it.
    asks: ClassVar[Mapping[str, Any]] = {}
    tells: ClassVar[Mapping[str, Any]] = {}

    def error(self, said: str, status: int) -> HttpResponse:
        return documents.answer(xml.element("error", said), status=status)

    def body_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        security = element_shape(login=LOGIN, password=LOGIN)
        return element_shape(security=security, **self.asks) | {"xml": {"name": "request"}}

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any]:
        return element_shape(["error"], **self.tells) | {"xml": {"name": "response"}}

    def carried(self) -> Carried:
        """Login and password, as texts of their elements or as attributes. Raises Malformed and Told."""
        security = documents.one(self.document, "security")
        return Carried("", documents.written(security, "login"), documents.written(security, "password"))

    @cached_property
    def document(self) -> xml.Element:
        """What is asked. Raises Malformed and Told."""
        return documents.document_of(self.plain)

    @property
    def body(self) -> dict[str, Any]:
        """What was understood of it, for the audit trail. Raises Malformed and Told."""
        return {}
