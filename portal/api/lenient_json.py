"""Reading a request's body: JSON whatever its Content-Type says, a trailing comma forgiven, anything else refused."""

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

DEEPEST = 32
#: Ten times what the largest call of the API needs.
MOST_VALUES = 200_000

# Strings are matched first, so that a comma inside one is never taken for a trailing comma; an unclosed string
# runs to the end, which keeps the search linear. `[,` is kept: a comma may follow a value and nothing else.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?|[\[{]\s*,)|,(?=\s*[\]}])', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
# UTF-8 and JSON forbid these as they are; an escape brings them in all the same.
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Unstorable(dict[str, Any]):
    """An object that holds a NUL character or half of a surrogate pair, left to a view that can say which one it is."""


class BadBody(ParseError):
    """400: the body is no JSON object. The sentence says where it breaks."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Bad Request. {reason}")
        self.reason = reason


class LenientJSONParser(BaseParser):
    """Takes any Content-Type, as the API we mirror does: Postman sends `text/plain`, curl a form."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """The body as a dictionary. Raises BadBody, and RequestDataTooBig beyond what the view takes."""
        view = (parser_context or {}).get("view")
        most = getattr(view, "largest_body", None) or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return self.read(_whole(stream, most), view)

    def read(self, body: bytes, view: Any) -> dict[str, Any]:
        """What the body means. Raises BadBody."""
        return read_object(body, getattr(view, "judges_each_of", ""))


def _whole(stream: Any, most: int) -> bytes:
    """All of it; that of a request is not kept there, for it may be large."""
    if isinstance(stream, HttpRequest) and int(stream.META.get("CONTENT_LENGTH") or 0) > most:
        raise RequestDataTooBig
    body: bytes = stream.read()
    return body


def read_object(body: bytes, judged: str = "") -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object. Raises BadBody.

    In the list `judged`, an object that cannot be stored is Unstorable instead.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadBody(f"The body is not UTF-8 (byte {error.start + 1}).") from None
    _refuse_endless(text)
    value = _load(text) if text and not text.isspace() else {}
    if not isinstance(value, dict):
        raise BadBody("The body must be a JSON object.")
    _refuse_deep(value)
    if _ESCAPED.search(text):
        _refuse_unstorable(value, judged)
    return value


def _load(text: str) -> Any:
    try:
        return _strict(text)
    except json.JSONDecodeError:
        # A comma becomes a space, so that every position stays where the sender sees it.
        return _load_forgiving(_TRAILING_COMMA.sub(lambda found: found[1] or " ", text))


def _load_forgiving(text: str) -> Any:
    try:
        return _strict(text)
    except json.JSONDecodeError as error:
        # Some of Python's sentences end with "at", for a place to follow.
        comma = "" if error.msg.endswith(" at") else ","
        raise BadBody(f"Malformed JSON: {error.msg}{comma} line {error.lineno}, column {error.colno}.") from None


def _strict(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise BadBody("The body is nested too deeply.") from None
    except ValueError:
        # Python refuses to read a whole number of more than 4300 digits.
        raise BadBody("The body holds a number that is too long.") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _count = Counter(key for key, _value in pairs).most_common(1)[0]
        raise BadBody(f"The key {twice[:100]!r} appears twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadBody(f"{name} is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadBody("The body holds a number that is too large.")
    return number


def _refuse_endless(text: str) -> None:
    """Twenty mebibytes of empty objects would be half a gigabyte of them: values are counted before they are made.

    What separates values may also stand in texts, so it is looked at more closely where there is much of it.
    """
    quotes = text.count('"') - text.count('\\"')
    if quotes > 4 * MOST_VALUES or (_values(text) > MOST_VALUES and _values(_STRING.sub("", text)) > MOST_VALUES):
        raise BadBody(f"The body holds more than {MOST_VALUES} values.")


def _values(text: str) -> int:
    """About how many values there are, where there are many."""
    return text.count(",") + text.count("[") + text.count("{")


def _refuse_deep(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise BadBody("The body is nested too deeply.")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _refuse_deep(item, depth + 1)


def _refuse_unstorable(body: dict[str, Any], judged: str) -> None:
    """No view needs to think of what cannot be stored, but one that judges each item of a list by itself."""
    for name, value in body.items():
        if name == judged and isinstance(value, list):
            value[:] = map(_marked, value)
        elif not (is_storable(name) and is_storable(value)):
            raise BadBody("The body holds a NUL character or half of a surrogate pair.")


def _marked(item: Any) -> Any:
    return Unstorable(item) if isinstance(item, dict) and not is_storable(item) else item


def is_storable(value: Any) -> bool:
    """Whether databases and UTF-8 can hold every text in it."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, dict):
        return all(is_storable(name) and is_storable(item) for name, item in value.items())
    return not isinstance(value, list) or all(map(is_storable, value))
