"""What `send.php` may carry, and what it is to send: one text to some phones, or phones that have a text each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from rest_framework.exceptions import ValidationError

from messaging import sending, texts
from messaging.dropin import fields
from messaging.dropin.door import GatewayFields
from messaging.dropin.numbers import spelled
from messaging.dropin.smsc.calls import SmscFields
from messaging.dropin.smsc.times import OFF
from portal.errors import Refusal

OWN_ID = r"^[\x21-\x7e]{1,100}$"
#: Hours, or hours and minutes.
LIFE = r"^(?:0?[1-9]|1[0-9]|2[0-4]|(?:[01][0-9]|2[0-4]):[0-5][0-9])$"
ZONE = r"^[+-]?[0-9]{1,2}$"
SEGMENTS = r"^[0-9]{1,3}$"
BETWEEN_PHONES = re.compile(r"[,;\r\n]+")
BETWEEN_LINES = re.compile(r"\r\n|\r|\n")
#: Behind it stands what the sender alone is to read: SMSC.ru, HTTP API, «Комментарии в SMS-сообщениях». Its line breaks
#: may be two characters, as a PHP program makes them that writes them in single quotes.
COMMENT = re.compile(r"(?:\r\n|\r|\n|\\n)~~~(?:\r\n|\r|\n|\\n)")
#: So many digits are a phone with its country code, and no part of one.
FEWEST_DIGITS = 9
#: A line of `list`: phones and a text with a colon between them, or a semicolon where there is no colon.
LINE = re.compile(r"([0-9+()\s,;.-]*):(.*)|([0-9+()\s,.-]*);(.*)", re.ASCII)
#: What may be a phone behind a semicolon, or the beginning of a text that has a colon: `18:30`, `30.11.2026 18:30`.
BEHIND_SEMICOLON = re.compile(r";([^,;]*)")
#: As many digits as a phone has, and none.
DATE = re.compile(r"\s*(?:[0-9]{1,2}\.[0-9]{1,2}[.\s-]|20[0-9]{2}-[0-9]{2}-[0-9]{2})")


class SmscSendFields(SmscFields, GatewayFields):
    """What `send.php` may carry; the rest of what is documented there is passed over."""

    phones = fields.text(style={"placeholder": "79161234567,79161234568"})
    mes = fields.text(max_length=20_000, trim_whitespace=False)
    list = fields.text(
        trim_whitespace=False, help_text="Instead of phones and mes: lines of a phone, a colon and its text"
    )
    id = fields.shaped(
        OWN_ID,
        "Name it by 1 to 100 letters, digits and signs of ASCII, without blanks.",
        help_text="A repeat with the same id sends nothing",
    )
    sender = fields.text()
    time = fields.text(
        trim_whitespace=False,
        help_text="DDMMYYhhmm, DD.MM.YY hh:mm, 0 and a UNIX time, + and minutes, or hours such as 9-21",
    )
    tz = fields.shaped(ZONE, "Give hours from Moscow's time, such as 2 or -1.", help_text="Hours from Moscow's time")
    valid = fields.shaped(
        LIFE, "Give 1 to 24 hours, or hours and minutes, such as 01:30.", help_text="Hours, 1 to 24, or hh:mm"
    )
    maxsms = fields.shaped(
        SEGMENTS, "Give a number of segments, such as 2.", help_text="A longer text is cut to so many segments"
    )
    cost = fields.one_of("0", "1", "2", "3")
    op = fields.text(default="0")
    err = fields.text(default="0")

    def validate_id(self, given: str) -> str:
        """The vendor's own library says `id=0` with every message to which its program gives none."""
        return "" if given == "0" else given

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        missing = [] if given["list"] else [name for name in ("phones", "mes") if not given[name]]
        if missing:
            raise ValidationError(dict.fromkeys(missing, "It is needed."), code="required")
        return given


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
    text = _text(asked["mes"], asked)
    return ((phone, text) for phone in _phones_in(asked["phones"]))


def _listed(asked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if asked["phones"].strip() or asked["mes"].strip():
        raise Refusal("Send either list, or phones and mes.", field="list")
    silent = asked["err"] in OFF and asked["op"] in OFF
    some_before = False
    for place, line in enumerate(BETWEEN_LINES.split(asked["list"]), 1):
        if not line.strip():
            continue
        before, text = _parted(line)
        phones = list(_phones_in(before))
        if not phones or (silent and some_before and any(map(_is_of_a_text, phones))):
            # `12:30` may be the second line of a text, whose first one nobody would know to be no more than that.
            # It does not repeat the line, which may hold a secret.
            raise Refusal(f"Line {place} is not a phone, a colon and a text.", field="list")
        some_before = some_before or not all(map(_is_of_a_text, phones))
        # Two characters stand for a line break, which would end the line.
        text = _text(text.replace("\\n", "\n"), asked)
        yield from ((phone, text) for phone in phones)


def _parted(line: str) -> tuple[str, str]:
    """The phones and the text in a line; without phones where it has not both."""
    found = LINE.fullmatch(line)
    if found is None:
        return "", ""
    if found[1] is None:
        return found[3], found[4]
    for behind in BEHIND_SEMICOLON.finditer(found[1]):
        # Before another phone it is a wrong one: what follows is for others, and no text for the first.
        others = BETWEEN_PHONES.split(found[1][behind.end() :])
        if behind[1].strip() and all(map(_is_of_a_text, [behind[1], *others])):
            return line[: behind.start()], line[behind.start(1) :]
    return found[1], found[2]


def _is_of_a_text(part: str) -> bool:
    """Whether what stands where a phone would is rather the beginning of a text that has a colon."""
    return _is_short(part) or bool(DATE.match(part))


def _is_short(part: str) -> bool:
    return sum(map(str.isdigit, part)) < FEWEST_DIGITS


def _text(written: str, asked: Mapping[str, str]) -> str:
    """What is sent of a text: no comment, and no more than `maxsms` segments, by which a program bounds its cost."""
    text, most = COMMENT.split(written, maxsplit=1)[0], int(asked["maxsms"] or 0)
    return texts.cut(text, most) if most else text


def _phones_in(written: str) -> Iterator[str]:
    for part in map(str.strip, BETWEEN_PHONES.split(written)):
        pieces = part.split()
        # Else blanks stand in one phone, as people write it, be it a good one or not.
        apart = not any(map(_is_short, pieces))
        yield from pieces if apart else [part]
