"""What a text costs on the air: GSM-7 or UCS-2, segments; and filling a template's $placeholders. Pure functions."""

import re
from dataclasses import dataclass, replace
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
    """An encoding: how many units one segment holds, alone or as a part of several, and what costs two of them."""

    name: Encoding
    alone: int
    part: int
    double: re.Pattern[str]

    def units(self, text: str) -> int:
        """What the text costs."""
        return len(text) + len(self.double.findall(text))


GSM_7 = Alphabet("GSM-7", 160, 153, re.compile(f"[{re.escape(''.join(EXTENDED))}]"))
UCS_2 = Alphabet("UCS-2", 70, 67, re.compile("[\U00010000-\U0010ffff]"))
ALL_GSM_7 = BASIC | EXTENDED


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


def cut(text: str, most: int) -> str:
    """The tidied text, as much of it as `most` segments hold. Raises Refusal."""
    text = tidy(text)
    alphabet = _alphabet(text)
    size = replace(alphabet, part=alphabet.alone) if most == 1 else alphabet
    return "".join(_pack(text, size)[:most])


def measure(text: str) -> Measure:
    """What `split` makes of the text, in figures. Raises Refusal."""
    text = tidy(text)
    alphabet = _alphabet(text)
    units = alphabet.units(text)
    if units <= alphabet.alone:
        return Measure(alphabet.name, 1, units, alphabet.alone - units)
    parts = _pack(text, alphabet)
    return Measure(alphabet.name, len(parts), units, alphabet.part - alphabet.units(parts[-1]))


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
    return GSM_7 if ALL_GSM_7.issuperset(text) else UCS_2


def _pack(text: str, alphabet: Alphabet) -> list[str]:
    if alphabet.units(text) <= alphabet.alone:
        return [text]
    if alphabet.units(text) == len(text):
        return [text[start : start + alphabet.part] for start in range(0, len(text), alphabet.part)]
    parts, start, used = [], 0, 0
    for position, character in enumerate(text):
        cost = alphabet.units(character)
        if used + cost > alphabet.part:
            parts.append(text[start:position])
            start, used = position, 0
        used += cost
    return [*parts, text[start:]]
