"""What a text costs on the air: GSM-7 or UCS-2, segments; and filling a template's $placeholders. Pure functions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Literal

from django.utils.translation import gettext as _

from gateways.gsm7 import BASIC, EXTENDED
from portal.errors import Refusal

Encoding = Literal["GSM-7", "UCS-2"]

#: What neither the air nor the database can hold: halves of surrogate pairs and the character zero.
UNSENDABLE = re.compile("[\ud800-\udfff\x00]")
LINE_BREAK = re.compile("\r\n?")


@dataclass(frozen=True, slots=True)
class Alphabet:
    """An encoding: how many units one segment holds, alone or as a part of several, and what a character costs."""

    name: Encoding
    alone: int
    part: int
    cost: Callable[[str], int]


GSM_7 = Alphabet("GSM-7", 160, 153, lambda character: 2 if character in EXTENDED else 1)
UCS_2 = Alphabet("UCS-2", 70, 67, lambda character: 2 if character > "\uffff" else 1)


@dataclass(frozen=True, slots=True)
class Measure:
    """`units` are septets (GSM-7) or UTF-16 units (UCS-2); `left` of them still fit into the last segment."""

    encoding: Encoding
    segments: int
    units: int
    left: int


def tidy(text: str) -> str:
    """The text as it is sent: every line break is one line feed. Raises Refusal for characters nobody can send."""
    if UNSENDABLE.search(text):
        raise Refusal(_("The text has half an emoji or a zero character, which nobody can send."), field="text")
    return LINE_BREAK.sub("\n", text)


def split(text: str) -> list[str]:
    """The tidied text in its segments; a pair of septets or of surrogates is never torn apart. Raises Refusal."""
    text = tidy(text)
    return _pack(text, _alphabet(text))


def measure(text: str) -> Measure:
    """What `split` makes of the text, in figures. Raises Refusal."""
    text = tidy(text)
    alphabet = _alphabet(text)
    parts = _pack(text, alphabet)
    room = alphabet.alone if len(parts) == 1 else alphabet.part
    return Measure(alphabet.name, len(parts), _units(text, alphabet), room - _units(parts[-1], alphabet))


def fill(template: str, **values: str) -> str:
    """The template with its placeholders replaced once, by the rules of `string.Template`. Raises Refusal."""
    try:
        return Template(template).substitute(values)
    except KeyError as missing:
        sentence = _("The template asks for $%(name)s, which it cannot have here.") % {"name": missing.args[0]}
        raise Refusal(sentence, field="text") from None
    except ValueError:
        sentence = _("The template has a $ that starts no placeholder; write $$ for the sign.")
        raise Refusal(sentence, field="text") from None


def _alphabet(text: str) -> Alphabet:
    return GSM_7 if set(text) <= BASIC | EXTENDED else UCS_2


def _units(text: str, alphabet: Alphabet) -> int:
    return sum(map(alphabet.cost, text))


def _pack(text: str, alphabet: Alphabet) -> list[str]:
    if _units(text, alphabet) <= alphabet.alone:
        return [text]
    parts, start, used = [], 0, 0
    for position, character in enumerate(text):
        cost = alphabet.cost(character)
        if used + cost > alphabet.part:
            parts.append(text[start:position])
            start, used = position, 0
        used += cost
    return [*parts, text[start:]]
