"""Recorded exchanges with providers: `gateways/providers/examples/<name>.json`, read strictly.

A key that is not known here fails, so that a slip of the pen cannot leave something untested.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from email.message import Message as Header
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pytest

from gateways import providers
from gateways.http import Callback, HttpResponse

FOLDER = Path(providers.__file__).parent / "examples"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it must be built; of the headers only those named. `form`, `json` or `text` is its body."""

    method: str
    url: str
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    json: Any = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a provider answered, and where it is no good answer: what it means."""

    what: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    outcome: str = ""
    unreadable: bool = False

    @property
    def response(self) -> HttpResponse:
        """As the transport hands it over."""
        headers, body = _message(self.headers, self.body)
        return HttpResponse(self.status, headers, body)


@dataclass(frozen=True, kw_only=True)
class SubmitAnswer(Answer):
    reference: str | None = None
    code: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class LoginAnswer(Answer):
    token: str = ""
    refresh: str = ""
    lasts: float | None = None
    idles: float | None = None


@dataclass(frozen=True, kw_only=True)
class QueryAnswer(Answer):
    receipts: list[dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class LookUpAnswer(Answer):
    found: dict[str, str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class BalanceAnswer(Answer):
    amount: str = ""
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckAnswer(Answer):
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class InboundAnswer(Answer):
    inbound: list[dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Submit:
    what: str
    sms: dict[str, Any]
    request: Request


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request about messages, for what guests wrote since a moment, or for the account."""

    what: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    since: str = ""
    request: Request


@dataclass(frozen=True, kw_only=True)
class Login:
    request: Request
    answers: list[LoginAnswer]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call the provider made to `callback_url`; `refused` is the status with which it must be turned away."""

    what: str
    method: str = "POST"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    receipts: list[dict[str, Any]] = field(default_factory=list)
    inbound: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)
    refused: int | None = None

    def made_to(self, callback_url: str) -> Callback:
        """As the door for callbacks hands it over."""
        headers, body = _message(self.headers, self.body)
        return Callback(self.method, f"{callback_url}?{self.query}" if self.query else callback_url, headers, body)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One set-up of a provider.

    `now` stops the clock for requests that hold the time; `line_break` is how this API writes one, where it does so in
    its own way; `takes_any_object` is true where nobody knows what this API answers to a message it took, so that any
    JSON object under a good status must do.
    """

    what: str
    settings: dict[str, Any]
    sender: str = ""
    callback_url: str = ""
    token: str = ""
    now: str = ""
    line_break: str = "\n"
    takes_any_object: bool = False
    login: Login | None = None
    submits: list[Submit] = field(default_factory=list)
    submit_answers: list[SubmitAnswer] = field(default_factory=list)
    queries: list[Question] = field(default_factory=list)
    query_answers: list[QueryAnswer] = field(default_factory=list)
    look_ups: list[Question] = field(default_factory=list)
    look_up_answers: list[LookUpAnswer] = field(default_factory=list)
    forgets: list[Question] = field(default_factory=list)
    forget_answers: list[Answer] = field(default_factory=list)
    balances: list[Question] = field(default_factory=list)
    balance_answers: list[BalanceAnswer] = field(default_factory=list)
    checks: list[Question] = field(default_factory=list)
    check_answers: list[CheckAnswer] = field(default_factory=list)
    inbound_fetches: list[Question] = field(default_factory=list)
    inbound_answers: list[InboundAnswer] = field(default_factory=list)
    callbacks: list[Call] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A body that is stored, and what must not be in it then."""

    body: Any
    never: list[str]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """All that is recorded of one provider, and where its API is documented."""

    documentation: str
    variants: list[Variant]
    redacted: list[Redacted] = field(default_factory=list)


@cache
def of(name: str) -> Recorded:
    """What is recorded of a provider. Raises for a missing file, an unknown key, or one of the wrong kind."""
    return _build(Recorded, json.loads((FOLDER / f"{name}.json").read_text("utf-8")), name)


def names() -> Iterator[str]:
    """The providers whose recorded exchanges can be read; the others fail a test of their own."""
    for name in providers.names():
        try:
            of(name)
        except (OSError, ValueError, TypeError):
            continue
        yield name


def variants() -> list[Any]:
    """Every set-up of every provider, as parameters of a test."""
    return [pytest.param(name, variant, id=f"{name}-{variant.what}") for name, variant in _variants()]


def logging_in() -> list[Any]:
    """The set-ups that must log in."""
    return [pytest.param(name, variant, id=f"{name}-{variant.what}") for name, variant in _variants() if variant.login]


def each(key: str) -> list[Any]:
    """Every recorded entry under this key, with its provider and set-up, as parameters of a test."""
    return [
        pytest.param(name, variant, entry, id=f"{name}-{variant.what}-{entry.what or place}")
        for name, variant in _variants()
        for place, entry in enumerate(getattr(variant, key))
    ]


def each_login_answer() -> list[Any]:
    """As `each`, of the answers to a login."""
    return [
        pytest.param(name, variant, answer, id=f"{name}-{variant.what}-{answer.what}")
        for name, variant in _variants()
        for answer in (variant.login.answers if variant.login else [])
    ]


def each_of(keys: Mapping[str, str]) -> list[Any]:
    """As `each`, of several kinds: what the kind is called, and the key of its entries."""
    return [
        pytest.param(name, variant, kind, entry, id=f"{name}-{variant.what}-{kind}-{entry.what or place}")
        for kind, key in keys.items()
        for name, variant in _variants()
        for place, entry in enumerate(getattr(variant, key))
    ]


def _variants() -> Iterator[tuple[str, Variant]]:
    return ((name, variant) for name in names() for variant in of(name).variants)


def body_of(body: Any) -> str:
    """A recorded body as text: JSON is written out."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _message(headers: Mapping[str, str], body: Any) -> tuple[dict[str, str], bytes]:
    sent = {name.lower(): value for name, value in headers.items()}
    if not isinstance(body, str):
        sent.setdefault("content-type", "application/json")
    declared = Header()
    declared["content-type"] = sent.get("content-type", "")
    return sent, body_of(body).encode(declared.get_content_charset() or "utf-8")


def _build(kind: type[T], found: Any, where: str) -> T:
    hints = get_type_hints(kind)
    try:
        return kind(**{key: _value(hints.get(key), value, f"{where}.{key}") for key, value in found.items()})
    except (TypeError, AttributeError) as error:
        # Each level adds its own place in front.
        raise TypeError(f"{where}: {error}") from error


def _value(hint: Any, found: Any, where: str) -> Any:
    """The value as this annotation wants it: an object or a list of objects becomes ours, all else stays."""
    inner = next((one for one in get_args(hint) or (hint,) if is_dataclass(one)), None)
    if not isinstance(inner, type):
        return found
    if get_origin(hint) is list:
        return [_build(inner, entry, f"{where}[{place}]") for place, entry in enumerate(found)]
    return _build(inner, found, where)
