"""Requests made from templates. What stands around a placeholder decides how its value is spelled, and no form is raw.

So a text cannot become anything but a text: not a second field, another element, one more header.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from django.utils.translation import gettext as _
from lxml import etree

from gateways import xml
from gateways.generic.placeholders import PLACEHOLDER, Values, fill
from gateways.http import FORM
from gateways.outcomes import Unreadable

#: What an administrator wrote stays as it is, but for blanks, letters of other alphabets and the like.
AS_WRITTEN = "!#$%&'()*+,-./:;=?@[]_~"
FIELD_ENDS = re.compile(r"[&\r\n]+")
XML_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*\?>")
LINE_BREAK = re.compile(r"\r\n?|[\n\x0b\x0c\x85\u2028\u2029]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: They belong to the connection; one that lies about it could smuggle in a second request.
RESERVED_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "keep-alive"}
)

CONTENT_TYPES = {"urlencoded": FORM, "json": "application/json", "xml": "text/xml", "text": "text/plain"}


class BadTemplate(ValueError):
    """A template that can be filled for no message; its text tells the administrator what to write instead."""


class Unfillable(ValueError):
    """A value that cannot stand in its place."""


def address(template: str, values: Values, encoding: str) -> str:
    """The URL. Its host has no placeholders, which the form sees to. Raises Unfillable, UnicodeEncodeError."""
    path, mark, query = template.partition("?")
    filled = fill(path, values, lambda value: quote(value.encode(encoding), safe=""))
    if {".", ".."} & set(filled.split("/")):
        raise Unfillable("a part of the address would lead elsewhere")
    filled += mark + fill(query, values, lambda value: quote(value.encode(encoding), safe=""))
    return quote(filled, safe=AS_WRITTEN, encoding=encoding)


def headers(template: str, values: Values) -> dict[str, str]:
    """The headers, one in a line. Raises BadTemplate, Unfillable."""
    return {name: fill(value, values, _in_header) for name, value in header_lines(template)}


def header_lines(template: str) -> Iterator[tuple[str, str]]:
    """Each header's name and its template. Raises BadTemplate."""
    for line in filter(None, map(str.strip, template.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not HEADER_NAME.fullmatch(name):
            raise BadTemplate(_("Write one header in a line, as “Name: value”."))
        if name.lower() in RESERVED_HEADERS:
            raise BadTemplate(_("Leave out the header %(name)s: the portal sets it itself.") % {"name": name})
        yield name, value.strip()


def body(kind: str, template: str, values: Values, encoding: str) -> bytes:
    """The body of a content type. Raises BadTemplate, UnicodeEncodeError."""
    return b"" if kind == "none" else BODIES[kind](template, values, encoding)


def content_type(kind: str, encoding: str) -> dict[str, str]:
    """The header that tells it; a form needs no charset, for it is in ASCII."""
    if kind == "none":
        return {}
    return {"content-type": FORM if kind == "urlencoded" else f"{CONTENT_TYPES[kind]}; charset={encoding}"}


def named(kind: str, template: str) -> Iterator[tuple[str, str]]:
    """What the template calls by name, and the value it gives it. Raises BadTemplate."""
    if kind == "urlencoded":
        yield from parse_qsl("&".join(FIELD_ENDS.split(template)), keep_blank_values=True)
    elif kind == "json":
        yield from _named_in_json(_read_json(template))
    elif kind == "xml":
        for element in _read_xml(template).iter():
            yield str(element.tag), element.text or ""
            yield from ((str(name), str(value)) for name, value in element.attrib.items())


def _in_header(value: str) -> str:
    if CONTROL.search(value):
        raise Unfillable("a header cannot hold a line break or another control character")
    return value


def _form(template: str, values: Values, encoding: str) -> bytes:
    fields = filter(None, map(str.strip, FIELD_ENDS.split(template)))
    filled = "&".join(fill(field, values, lambda value: quote_plus(value.encode(encoding))) for field in fields)
    return quote(filled, safe=AS_WRITTEN, encoding=encoding).encode()


def _json(template: str, values: Values, encoding: str) -> bytes:
    filled = _in_strings(_read_json(template), partial(fill, values=values, spell=str))
    return json.dumps(filled, ensure_ascii=encoding != "utf-8").encode(encoding)


def _read_json(template: str) -> Any:
    try:
        return json.loads(template, parse_constant=_no_number)
    except RecursionError:
        raise BadTemplate(_("The JSON is nested too deep.")) from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        sentence = _("This is not JSON (line %(line)s); write each placeholder between quotation marks.")
        raise BadTemplate(sentence % {"line": line}) from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _in_strings(found: Any, change: Callable[[str], str]) -> Any:
    if isinstance(found, str):
        return change(found)
    if isinstance(found, list):
        return [_in_strings(one, change) for one in found]
    if isinstance(found, dict):
        return {change(key): _in_strings(value, change) for key, value in found.items()}
    return found


def _named_in_json(found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(found, dict):
        yield from ((key, str(value)) for key, value in found.items() if not isinstance(value, dict | list))
    if isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from _named_in_json(one)


def _xml(template: str, values: Values, encoding: str) -> bytes:
    root = _read_xml(template)
    change = partial(fill, values=values, spell=xml.possible)
    for element in root.iter():
        element.text = change(element.text or "") or None
        element.tail = change(element.tail or "") or None
        for name, value in element.attrib.items():
            element.set(name, change(str(value)))
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    written: bytes = etree.tostring(root, encoding=encoding, xml_declaration=False)  # type: ignore[assignment]  # text only without an encoding
    return declaration + written


def _read_xml(template: str) -> xml.Element:
    try:
        return xml.parse(XML_DECLARATION.sub("", template).strip().encode(), "utf-8")
    except Unreadable:
        sentence = _("This is not XML that can be sent: write one element without a document type.")
        raise BadTemplate(sentence) from None


def _text(template: str, values: Values, encoding: str) -> bytes:
    """A line break within a value could pass for the next line of the template, unless the template ends there."""
    places = list(PLACEHOLDER.finditer(template.rstrip()))
    at_end = places and places[-1].end() == len(template.rstrip())
    end = places[-1].start() if at_end else len(template)
    return (fill(template[:end], values, _one_line) + fill(template[end:], values, _lines)).encode(encoding)


def _one_line(value: str) -> str:
    return CONTROL.sub("", LINE_BREAK.sub(" ", value))


def _lines(value: str) -> str:
    return CONTROL_BUT_BREAKS.sub("", LINE_BREAK.sub("\n", value))


BODIES: dict[str, Callable[[str, Values, str], bytes]] = {
    "urlencoded": _form,
    "json": _json,
    "xml": _xml,
    "text": _text,
}
