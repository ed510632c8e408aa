"""What can be found out about thousands of messages before anything is locked: phones and texts; then their gateways.

It makes no object of each: what is alike in all of them is said once, when they are stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from gateways import routing
from gateways.models import Gateway
from messaging import phones, texts
from messaging.sending.accepting import Terms, blank, measured, refuse_without_code, suppress
from portal.bulk.inserting import insert_copies
from portal.encryption import encrypt
from portal.errors import Refusal


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a batch. `reference` is what its caller calls it, and is named where the item is refused."""

    phone: str
    text: str
    reference: str = ""
    recipient_label: str = ""


@dataclass(frozen=True, slots=True)
class Faulty:
    """An item whose door could make no message of it; it counts, and is refused with this sentence.

    `field` is one of ours; `unknown` is the name of one that nobody knows, as its caller wrote it.
    """

    field: str
    sentence: str
    reference: str = ""
    unknown: str = ""


class Known(NamedTuple):
    """An item whose phone and text were looked at; `encrypted` is its text as it will be stored."""

    phone: str
    text: str
    encrypted: str
    encoding: str
    segments: int
    reference: str
    recipient_label: str


class Ready(NamedTuple):
    """A message in the columns in which it differs from the others; `text` is encrypted."""

    phone: str
    text: str | None
    encoding: str
    segments: int
    caller_reference: str | None
    recipient_label: str


class Prepared(NamedTuple):
    """What can be stored, by gateway, and of each other item its place and why."""

    by_gateway: dict[Gateway, list[Ready]]
    refused: list[dict[str, Any]]


#: It, as it will be stored, its encoding and its segments.
_Text = tuple[str, str, str, int]


def look_at(items: Sequence[Item | Known | Faulty]) -> list[Known | Faulty]:
    """What their phones and texts are, without a question to the database; a text that several have is read once."""
    text = cache(_text)
    return [_known(item, text) if isinstance(item, Item) else item for item in items]


def _known(item: Item, text: Callable[[str], _Text | Faulty]) -> Known | Faulty:
    try:
        phone = phones.normalise(item.phone)
    except Refusal as refusal:
        return Faulty(refusal.field, refusal.sentence, item.reference)
    found = text(item.text)
    if isinstance(found, Faulty):
        return replace(found, reference=item.reference)
    return Known(phone, *found, item.reference, item.recipient_label)


def _text(text: str) -> _Text | Faulty:
    """Given back and not raised, so that one that is too long is not measured for each of thousands of phones."""
    try:
        measure = measured(text)
    except Refusal as refusal:
        return Faulty(refusal.field, refusal.sentence)
    tidied = texts.tidy(text)
    return tidied, encrypt(tidied), measure.encoding, measure.segments


def route(items: Sequence[Known | Faulty], terms: Terms, first: Gateway) -> Prepared:
    """The gateway of each of them; `first` is the one to try first."""
    choose = routing.chooser(first, later=terms.due_at is not None)
    ways: dict[int, _Way] = {}
    refused = []
    for place, item in enumerate(items, 1):
        if isinstance(item, Faulty):
            refused.append(refusal_of(item.reference, item.field, item.sentence, place, item.unknown))
            continue
        try:
            gateway = choose(item.phone)
            way = ways.get(gateway.pk) or ways.setdefault(gateway.pk, _Way(gateway))
            way.take(item)
        except Refusal as refusal:
            refused.append(refusal_of(item.reference, refusal.field, refusal.sentence, place))
    return Prepared({way.gateway: way.ready for way in ways.values() if way.ready}, refused)


def refusal_of(
    reference: str, field: str, sentence: str, place: int | None = None, unknown: str = ""
) -> dict[str, Any]:
    """An item that was not accepted, as `Batch.refused` keeps it."""
    found = {"place": place, "reference": reference, "field": field, "message": sentence}
    return found | ({"unknown": unknown} if unknown else {})


class _Way:
    """A gateway, what its provider wants in each text, and the messages that go there."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.placeholder = gateway, routing.placeholder(gateway)
        self.ready: list[Ready] = []

    def take(self, item: Known) -> None:
        """Raises Refusal."""
        if self.placeholder:
            refuse_without_code(self.gateway, item.text)
        phone, _text, encrypted, encoding, segments, reference, label = item
        self.ready.append(Ready(phone, encrypted, encoding, segments, reference or None, label))


def store(terms: Terms, gateway: Gateway, messages: Sequence[Ready], *, suppressed: bool = False) -> None:
    """Stores them; those of phones that opted out are at their end at once, and their texts are not kept."""
    template = blank(terms, gateway)
    if suppressed:
        suppress(template)
        messages = [message._replace(text=None) for message in messages]
    if messages:
        insert_copies(template, Ready._fields, messages)
