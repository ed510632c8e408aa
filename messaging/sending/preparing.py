"""What can be found out about thousands of messages before anything is locked: phones, texts, gateways.

It makes no object of each: what is alike in all of them is said once, when they are stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    """An item whose door could make no message of it; it counts, and is refused with this sentence."""

    field: str
    sentence: str
    reference: str = ""


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


def prepare_all(items: Sequence[Item | Faulty], terms: Terms, first: Gateway) -> Prepared:
    """Looks at each of them; `first` is the gateway to try first."""
    look, refused = _Look(terms, first), []
    for place, item in enumerate(items, 1):
        if isinstance(item, Faulty):
            refused.append(refusal_of(item.reference, item.field, item.sentence, place))
            continue
        try:
            look.at(item)
        except Refusal as refusal:
            refused.append(refusal_of(item.reference, refusal.field, refusal.sentence, place))
    return Prepared(look.by_gateway(), refused)


def refusal_of(reference: str, field: str, sentence: str, place: int | None = None) -> dict[str, Any]:
    """An item that was not accepted, as `Batch.refused` keeps it."""
    return {"place": place, "reference": reference, "field": field, "message": sentence}


class _Text(NamedTuple):
    tidied: str
    encrypted: str
    encoding: str
    segments: int


class _Look:
    """One look at many items: what two of them have in common is found out once."""

    def __init__(self, terms: Terms, first: Gateway) -> None:
        self._choose: Callable[[str], Gateway] = routing.chooser(first, later=terms.due_at is not None)
        self._text: Callable[[str], _Text] = cache(_text)
        self._ways: dict[int, _Way] = {}

    def at(self, item: Item) -> None:
        """Raises Refusal."""
        phone, text = phones.normalise(item.phone), self._text(item.text)
        gateway = self._choose(phone)
        way = self._ways.get(gateway.pk) or self._ways.setdefault(gateway.pk, _Way(gateway))
        if way.placeholder:
            refuse_without_code(gateway, text.tidied)
        way.ready.append(
            Ready(phone, text.encrypted, text.encoding, text.segments, item.reference or None, item.recipient_label)
        )

    def by_gateway(self) -> dict[Gateway, list[Ready]]:
        """What can be stored."""
        return {way.gateway: way.ready for way in self._ways.values() if way.ready}


class _Way:
    """A gateway, what its provider wants in each text, and the messages that go there."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.placeholder = gateway, routing.placeholder(gateway)
        self.ready: list[Ready] = []


def _text(text: str) -> _Text:
    measure, tidied = measured(text), texts.tidy(text)
    return _Text(tidied, encrypt(tidied), measure.encoding, measure.segments)


def store(terms: Terms, gateway: Gateway, messages: Sequence[Ready], *, suppressed: bool = False) -> None:
    """Stores them; those of phones that opted out are at their end at once, and their texts are not kept."""
    template = blank(terms, gateway)
    if suppressed:
        suppress(template)
        messages = [message._replace(text=None) for message in messages]
    if messages:
        insert_copies(template, Ready._fields, messages)
