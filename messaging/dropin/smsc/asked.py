"""What `send.php` is to send: one text to some phones, or a list of phones that have a text each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from messaging import sending
from messaging.dropin.numbers import spelled
from portal.errors import Refusal

BETWEEN_PHONES = re.compile(r"[,;\r\n]+")
BETWEEN_LINES = re.compile(r"\r\n|\r|\n")
#: So many digits are a phone with its country code, and no part of one.
FEWEST_DIGITS = 9
#: A line of `list`: phones and a text with a colon between them, or a semicolon where there is no colon.
LINE = re.compile(r"([0-9+()\s,;.-]*):(.*)|([0-9+()\s,.-]*);(.*)", re.ASCII)


class Sms(NamedTuple):
    """A text to a phone, which is in E.164 where it is one, and as it was written."""

    written: str
    phone: str
    text: str


def sms_in(asked: Mapping[str, str]) -> Sequence[Sms]:
    """Each of them once, in their order. Raises Refusal (field `list` or `phones`)."""
    field = "list" if asked["list"] else "phones"
    # Of more than can be sent none is looked at, which takes its time.
    pairs = list(islice(_listed(asked) if asked["list"] else _alike(asked), sending.MOST + 1))
    if len(pairs) > sending.MOST:
        raise Refusal(f"These are more than {sending.MOST} phones; send it in parts.", field=field)
    first: dict[tuple[str, str], Sms] = {}
    for written, text in pairs:
        sms = Sms(written, spelled(written), text)
        first.setdefault((sms.phone, text), sms)
    return list(first.values())


def _alike(asked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((phone, asked["mes"]) for phone in _phones_in(asked["phones"]))


def _listed(asked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if asked["phones"].strip() or asked["mes"].strip():
        raise Refusal("Send either list, or phones and mes.", field="list")
    for place, line in enumerate(BETWEEN_LINES.split(asked["list"]), 1):
        if not line.strip():
            continue
        found = LINE.fullmatch(line)
        if found is None:
            # It does not repeat the line, which may hold a secret.
            raise Refusal(f"Line {place} is not a phone, a colon and a text.", field="list")
        phones, text = found.group(1, 2) if found[1] is not None else found.group(3, 4)
        # Two characters stand for a line break, which would end the line.
        yield from ((phone, text.replace("\\n", "\n")) for phone in _phones_in(phones))


def _phones_in(written: str) -> Iterator[str]:
    for part in map(str.strip, BETWEEN_PHONES.split(written)):
        pieces = part.split()
        # Else blanks stand in one phone, as people write it, be it a good one or not.
        apart = all(sum(map(str.isdigit, piece)) >= FEWEST_DIGITS for piece in pieces)
        yield from pieces if apart else [part]
