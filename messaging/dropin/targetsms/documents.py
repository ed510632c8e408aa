"""The documents: reading what is asked without guessing, and writing what is answered.

Reading is `gateways.xml`'s, with its limits, and in JSON that of our own API; here, what they find is looked at:
nothing may be there twice, and everything is of the kind that it is documented to be.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException, ParseError

from gateways import xml
from gateways.outcomes import Unreadable
from messaging.dropin import reading
from messaging.dropin.targetsms import words
from portal.api.lenient_json import BadBody, read_object


class Malformed(ParseError):
    """400: the body is no document of this API."""

    default_detail = words.BAD_XML


class Told(APIException):
    """422: the call as a whole cannot be done; the sentence is in the words of the system."""

    status_code = 422


def document_of(request: HttpRequest) -> xml.Element:
    """The request's document. Raises Malformed, Told where there is none, and what `reading.body_of` does."""
    body = _body_of(request)
    try:
        root = xml.parse(body, str((request.content_params or {}).get("charset", "")))
    except Unreadable:
        raise Malformed from None
    if root.tag != "request":
        raise Malformed
    return root


def object_of(request: HttpRequest) -> dict[str, Any]:
    """The request's document in JSON. Raises Malformed, Told where there is none, and what `reading.body_of` does."""
    try:
        return read_object(_body_of(request))
    except BadBody:
        raise Malformed from None


def _body_of(request: HttpRequest) -> bytes:
    body = reading.body_of(request)
    if not body.strip():
        raise Told(words.NO_POST)
    return body


def one(parent: xml.Element | None, name: str) -> xml.Element | None:
    """The only element of this name in there; None where there is none. Raises Malformed where there are several."""
    found = [] if parent is None else parent.findall(name)
    if len(found) > 1:
        raise Malformed
    return found[0] if found else None


def needed(parent: xml.Element, name: str) -> xml.Element:
    """The only element of this name in there. Raises Malformed."""
    found = one(parent, name)
    if found is None:
        raise Malformed
    return found


def text_of(element: xml.Element | None) -> str:
    """What is written in the element; empty without one. Raises Malformed where elements stand in it."""
    if element is None:
        return ""
    if len(element):
        raise Malformed
    return str(element.text or "")


def written(parent: xml.Element | None, name: str) -> str:
    """What the element of this name says, as its text or its attribute `value`. Raises Malformed where it says both."""
    found = one(parent, name)
    text, value = text_of(found), "" if found is None else str(found.get("value", ""))
    if value and text.strip():
        raise Malformed
    return value or text


def listed(parent: Mapping[str, Any], name: str) -> list[Any]:
    """The array of this name in there. Raises Malformed.

    One whose keys are not 0, 1, 2 and so on is an object where PHP wrote it, and PHP sees no difference in reading it.
    """
    found = parent.get(name)
    if isinstance(found, dict) and found and all(map(str.isdecimal, found)):
        return list(found.values())
    if not isinstance(found, list):
        raise Malformed
    return found


def objects(parent: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The same, where it is one of objects. Raises Malformed."""
    found = listed(parent, name)
    if not all(isinstance(one, dict) for one in found):
        raise Malformed
    return found


def within(parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object of this name in there, an empty one where there is none. Raises Malformed."""
    found = parent.get(name)
    if not isinstance(found, dict | None):
        raise Malformed
    return found or {}


def scalar(value: Any) -> str:
    """What is a text there, or a number, which PHP does not always make a text; empty for nothing. Raises Malformed."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed
    return str(value)


def answer(*content: xml.Element, status: int = 200) -> HttpResponse:
    """The document that says `response`."""
    return HttpResponse(xml.document(xml.element("response", *content)), xml.CONTENT_TYPE, status)
