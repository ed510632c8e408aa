"""Answers that no provider should give: nothing that can be read, and recorded answers damaged in one way."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from lxml import etree

from gateways.http import LARGEST_BODY, HttpResponse

#: Deeper than any parser should follow.
DEEP = 100_000
DOCUMENT_TYPE = '<!DOCTYPE a [<!ENTITY e "sent"><!ENTITY f SYSTEM "file:///etc/passwd">]>'

#: By what is wrong with it: a content type, and a body that says nothing to anybody.
MEANINGLESS: dict[str, tuple[str, bytes]] = {
    "empty": ("", b""),
    "empty JSON": ("application/json", b""),
    "empty XML": ("text/xml", b""),
    "blanks": ("text/plain", b" \r\n\t "),
    "garbage": ("application/octet-stream", bytes(range(128, 256))),
    "zeros": ("text/plain", b"\0" * 40),
    "page": ("text/html", b"<!DOCTYPE html><html><head><title>Proxy</title></head><body>Sign in</body></html>"),
    "huge text": ("text/plain", b"x" * LARGEST_BODY),
    "huge JSON": ("application/json", json.dumps(["x" * (LARGEST_BODY - 4)]).encode()),
    "huge XML": ("text/xml", b"<a>" + b"x" * (LARGEST_BODY - 7) + b"</a>"),
    "windows-1251 called UTF-8": ("text/plain; charset=utf-8", "нечто".encode("windows-1251")),
    "JSON in windows-1251 called UTF-8": ("application/json; charset=utf-8", '{"а": "я"}'.encode("windows-1251")),
    "unknown charset": ("text/plain; charset=klingon", "нечто".encode()),
    "deep list": ("application/json", b"[" * DEEP + b"]" * DEEP),
    "deep object": ("application/json", b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "deep XML": ("text/xml", b"<a>" * DEEP + b"</a>" * DEEP),
    "document type": ("text/xml", f"{DOCUMENT_TYPE}<a>&e;&f;</a>".encode()),
    "null": ("application/json", b"null"),
    "list": ("application/json", b"[]"),
    "list of null": ("application/json", b"[null]"),
    "list of lists": ("application/json", b"[[[]]]"),
    "number": ("application/json", b"7"),
    "not a number": ("application/json", b"NaN"),
    "long number": ("application/json", b"7" * 10_000),
    "boundless number": ("application/json", b"1e999999999"),
    "string": ("application/json", b'"x"'),
    "true": ("application/json", b"true"),
    "object": ("application/json", b"{}"),
    "strange object": ("application/json", b'{"": {"": [null]}}'),
    "strange XML": ("text/xml", b"<a><b/></a>"),
}
#: Values of the wrong kind wherever a text or a number belongs.
WRONG: dict[str, Any] = {"null": None, "list": [], "object": {}, "list of lists": [[None]], "no number": "NaN"}


def meaningless(*statuses: int) -> Iterator[tuple[str, HttpResponse]]:
    """What no provider can have meant, under each status that would stand for success."""
    for status in statuses:
        for what, (content_type, body) in MEANINGLESS.items():
            # A status that allows no body has none; what it means is recorded.
            if status != 204:
                headers = {"content-type": content_type} if content_type else {}
                yield f"{what} ({status})", HttpResponse(status, headers, body)


def damaged(answer: HttpResponse) -> Iterator[tuple[str, HttpResponse]]:
    """A good answer in which nothing good is left. Only what has a structure shows that a part of it is lost."""
    if (found := _json(answer)) is not None:
        for what, wrong in WRONG.items():
            if what != "no number":
                yield f"every value {what}", _with_json(answer, _every(found, _always(wrong)))
                yield f"every outer value {what}", _with_json(answer, _outer(found, wrong))
    elif (root := _xml(answer)) is not None:
        yield "with a document type", replace(answer, body=DOCUMENT_TYPE.encode() + etree.tostring(root))
        yield "every value empty", _with_words(answer, _always(""))
        yield "without its root", _without_root(answer)
    else:
        return
    text = answer.body.rstrip()
    yield "cut in half", replace(answer, body=text[: len(text) // 2])
    yield "cut of its last byte", replace(answer, body=text[:-1])


def partly_wrong(answer: HttpResponse) -> Iterator[tuple[str, HttpResponse]]:
    """The answer with one value of the wrong kind, or in a charset it does not declare."""
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        headers = {"content-type": "text/plain; charset=utf-8"}
        yield encoding, replace(answer, headers=headers, body=answer.body.decode(errors="replace").encode(encoding))
    for place in range(_leaves(_json(answer))):
        for what, wrong in WRONG.items():
            yield f"value {place} {what}", _with_json(answer, _one(_json(answer), place, wrong))
    if (root := _xml(answer)) is not None:
        for place in range(len(list(root.iter()))):
            for word in ("", "NaN"):
                yield f"element {place} '{word}'", _with_words(answer, _always(word), place)


def fields_spoilt(query: str) -> Iterator[tuple[str, str]]:
    """A query or a form with one field lost, empty, twice, of no charset, or far too long."""
    given = query.split("&") if query else []
    for place, one in enumerate(given):
        name = one.partition("=")[0]
        for what, spoilt in {
            "lost": [],
            "empty": [f"{name}="],
            "twice": [one, f"{name}=x"],
            "of no charset": [f"{name}=%ff%00%98"],
            "too long": [f"{name}={'9' * 100_000}"],
        }.items():
            yield f"{name} {what}", "&".join([*given[:place], *spoilt, *given[place + 1 :]])


def echoing(answer: HttpResponse, secret: str) -> Iterator[tuple[str, HttpResponse]]:
    """The answer with a secret in one place after another, as providers echo what they were sent."""
    if (found := _json(answer)) is not None:
        yield "everywhere", _with_json(answer, _every(found, lambda old: secret if isinstance(old, str) else old))
        for place in range(_leaves(found)):
            yield f"in value {place}", _with_json(answer, _one(_json(answer), place, secret))
    elif (root := _xml(answer)) is not None:
        for place in range(len(list(root.iter()))):
            yield f"in element {place}", _with_words(answer, _always(secret), place)
            yield f"added to element {place}", _with_words(answer, lambda old: f"{old} {secret}", place)
    else:
        yield "alone", replace(answer, body=secret.encode())
        yield "at the end", replace(answer, body=answer.body + b" " + secret.encode())


def _json(answer: HttpResponse) -> Any:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _with_json(answer: HttpResponse, body: Any) -> HttpResponse:
    return replace(answer, body=json.dumps(body, ensure_ascii=False).encode())


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _old: value


def _every(found: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure with every leaf changed."""
    if isinstance(found, dict):
        return {key: _every(value, change) for key, value in found.items()}
    return [_every(value, change) for value in found] if isinstance(found, list) else change(found)


def _outer(found: Any, wrong: Any) -> Any:
    return dict.fromkeys(found, wrong) if isinstance(found, dict) else [wrong for _ in found]


def _leaves(found: Any) -> int:
    counted: list[Any] = []
    if found is not None:
        _every(found, counted.append)
    return len(counted)


def _one(found: Any, place: int, wrong: Any) -> Any:
    """The same structure with one leaf changed."""
    left = iter(range(_leaves(found)))
    return _every(found, lambda old: wrong if next(left) == place else old)


def _xml(answer: HttpResponse) -> Any:
    try:
        return etree.fromstring(answer.body)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _with_words(answer: HttpResponse, change: Callable[[str], str], place: int | None = None) -> HttpResponse:
    """The document with the texts and attributes of one element changed, or of all."""
    root = deepcopy(_xml(answer))
    for here, element in enumerate(root.iter(etree.Element)):
        if place in {None, here}:
            element.text = change(element.text or "")
            for name, value in element.attrib.items():
                element.set(name, change(value))
    return replace(answer, body=etree.tostring(root, encoding="utf-8"))


def _without_root(answer: HttpResponse) -> HttpResponse:
    root = _xml(answer)
    root.tag = "elsewhere"
    for child in list(root):
        root.remove(child)
    return replace(answer, body=etree.tostring(root, encoding="utf-8"))
