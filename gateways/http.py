"""Requests that providers want made, the answers to them, and calls that providers make to us: plain values.

Also the ways to write a request and to read an answer that every provider shares. No input or output here.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.message import Message as Header
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from gateways.outcomes import BadCallback, Unreadable

#: An answer, and a call from outside, may be this long; transport and the callbacks' door hold it.
LARGEST_BODY = 1024 * 1024
#: As Python names them; it knows others that are slow, or are no writing at all.
ENCODINGS = frozenset({"ascii", "utf-8", "utf-16", "cp1251", "koi8-r", "iso8859-1", "iso8859-5"})
FORM = "application/x-www-form-urlencoded"
#: By so much a provider's clock may be ahead of ours.
CLOCKS_DIFFER = timedelta(minutes=5)
PART_NAME = re.compile(rb'[;\s]name="([^"]*)"')


@dataclass(frozen=True)
class HttpRequest:
    """A request a provider wants made; all but the method may hold secrets and is kept out of `repr`.

    `verify_tls` is the gateway's setting; a provider leaves it alone. Whoever wants the status, and so many bytes of
    what is said with it, says what is `enough`: no longer answer is read, and none has to end.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    verify_tls: bool = True
    enough: int | None = None


@dataclass(frozen=True)
class HttpResponse:
    """What came back: at most LARGEST_BODY of body; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Callback:
    """A call that a provider makes to us: `url` is the address it was made to, with the query; header names lower."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The query's fields; of a repeated one the last."""
        return dict(_fields(self.url.partition("?")[2]))

    @property
    def form(self) -> dict[str, str]:
        """The body's fields, where it is a form; of a repeated one the last."""
        return dict(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The body's fields in their order, where it is a form: of the usual kind, or in parts as PHP sends it."""
        boundary = _content_type(self).get_boundary()
        return list(_parts(self.body, boundary)) if boundary else _fields(text_of(self))


@dataclass(frozen=True)
class CallbackReply:
    """What the provider needs to hear so that it does not call again."""

    body: str = ""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"


def get(url: str, fields: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None) -> HttpRequest:
    """A GET with the fields in the query; those that are None are left out."""
    return HttpRequest("GET", with_query(url, fields or {}), headers or {})


def post_form(url: str, fields: Mapping[str, object], headers: Mapping[str, str] | None = None) -> HttpRequest:
    """A POST of a form in UTF-8; fields that are None are left out."""
    return HttpRequest("POST", url, {"content-type": FORM, **(headers or {})}, urlencode(_given(fields)).encode())


def post_json(url: str, body: object, headers: Mapping[str, str] | None = None) -> HttpRequest:
    """A POST of JSON in UTF-8."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    return HttpRequest("POST", url, {"content-type": "application/json; charset=utf-8", **(headers or {})}, sent)


def with_query(url: str, fields: Mapping[str, object]) -> str:
    """The address with the fields added to its query; those that are None are left out."""
    added = urlencode(_given(fields), quote_via=quote)
    return f"{url}{'&' if '?' in url else '?'}{added}" if added else url


def join(url: str, path: str) -> str:
    """A path below the address that an administrator typed, whether or not that ends in a slash."""
    return f"{url.rstrip('/')}/{path.lstrip('/')}"


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _fields(encoded: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(encoded, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return parse_qsl(encoded, keep_blank_values=True, encoding="windows-1251", errors="replace")


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, str]]:
    for part in body.split(b"--" + boundary.encode(errors="replace"))[1:]:
        head, _blank_line, content = part.partition(b"\r\n\r\n")
        if name := PART_NAME.search(head):
            yield _decoded(name[1]), _decoded(content.removesuffix(b"\r\n"))


def _content_type(message: HttpResponse | Callback) -> Header:
    return _as_header(message.headers.get("content-type", ""))


@lru_cache(maxsize=64)
def _as_header(content_type: str) -> Header:
    """Kept, because a provider writes the same every time."""
    header = Header()
    header["content-type"] = content_type
    return header


def _decoded(body: bytes, declared: str | None = None) -> str:
    for charset in (declared, "utf-8"):
        with suppress(LookupError, ValueError):
            if codecs.lookup(charset or "utf-8").name in ENCODINGS:
                return body.decode(charset or "utf-8")
    return body.decode("windows-1251", errors="replace")


def text_of(message: HttpResponse | Callback) -> str:
    """The body as text: in the charset it declares, else UTF-8, else windows-1251, which takes anything."""
    return _decoded(message.body, _content_type(message).get_content_charset())


def json_of(message: HttpResponse | Callback) -> Any:
    """The body as JSON, numbers with a point as Decimal. Raises Unreadable for anything else, however deep."""
    try:
        return json.loads(text_of(message), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Unreadable("the answer is not JSON") from None


def object_of(message: HttpResponse | Callback) -> dict[str, Any]:
    """The body as a JSON object. Raises Unreadable for anything else."""
    found = json_of(message)
    if not isinstance(found, dict):
        raise Unreadable("the answer is not a JSON object")
    return found


def object_called(callback: Callback) -> dict[str, Any]:
    """The body of a call as a JSON object. Raises BadCallback for anything else."""
    try:
        return object_of(callback)
    except Unreadable:
        raise BadCallback("the call is not a JSON object") from None


def retry_after(response: HttpResponse, default: float = 1.0) -> float:
    """Seconds the provider asks us to wait; the default where it says nothing we can use (a date among others)."""
    try:
        return float(response.headers.get("retry-after", default))
    except ValueError:
        return default


def id_of(value: object) -> str:
    """An id as providers spell it, a number or a text; empty for anything else."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def whole_of(value: object) -> int | None:
    """A whole number, such as a code, as a number or a text; None for anything else."""
    try:
        return int(id_of(value))
    except ValueError:
        return None


def amount_of(value: object) -> Decimal:
    """An amount of money as providers spell it, a number or a text. Raises Unreadable for anything else."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Unreadable("the answer tells no amount")
    return amount


def moment_of(value: object) -> datetime | None:
    """The moment of a unix time, a number or a text; None for nought and for what is no such time."""
    try:
        seconds = int(str(value))
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def written_moment_of(value: object) -> datetime | None:
    """A moment in any form that is met where forms are mixed: unix seconds or milliseconds, ISO 8601, digits alone.

    One without a zone is read as UTC, unless that lay in the future: then it is the time of another zone.
    """
    text = str(value or "").strip()
    if re.fullmatch(r"[0-9]{10}(?:[0-9]{3})?", text):
        return moment_of(text[:10])
    try:
        found = datetime.fromisoformat(f"{text[:8]}T{text[8:14]}" if re.fullmatch("[0-9]{14,17}", text) else text)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if found <= datetime.now(UTC) + CLOCKS_DIFFER else None


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none in anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
