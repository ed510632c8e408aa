"""P15: the segments that the portal predicts are those on the air, and those that a provider bills.

160 and 153 septets, of which an extended character takes two that are never torn apart; 70 and 67 UTF-16 units, of
which an emoji takes two that stay together. The reference is `tests/simulators/air.py`, which really encodes the text.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.models import Message
from messaging.texts import measure, split
from portal.models import User
from tests.conftest import Api
from tests.messaging.peers import NAMES, account_at
from tests.simulators import air
from tests.simulators.air import ESCAPED, SEPTETS, cut, encode

gsm_characters = st.sampled_from([c for c in SEPTETS if c not in "\x1b\r"] + list(ESCAPED) * 4)
any_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
cyrillic = st.sampled_from("абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГ 0123456789.,!")
emoji = st.sampled_from("😀📶🗝️👨‍👩‍👧€ёa")
texts = st.one_of(
    st.text(gsm_characters, max_size=400),
    st.text(cyrillic, max_size=220),
    st.text(emoji, max_size=220),
    st.text(any_characters, max_size=220),
)


@given(texts)
@example("а" * 70)
@example("а" * 71)
@example("a" * 152 + "€" * 5)
@example("a" * 66 + "😀" * 3)
def test_it_agrees_with_a_reference_that_encodes_the_text(text: str) -> None:
    encoding, encoded = encode(text)
    pieces = cut(encoding, encoded)
    width, room = (1, 160 if len(pieces) == 1 else 153) if encoding == "GSM-7" else (2, 70 if len(pieces) == 1 else 67)
    found = measure(text)
    assert (found.encoding, found.segments) == (encoding, len(pieces))
    assert found.units == len(encoded) // width
    assert found.left == room - len(pieces[-1]) // width


@given(texts)
@example("a" * 152 + "€" * 5)
@example("a" * 66 + "😀" * 3)
def test_the_parts_are_the_pieces_that_the_reference_cuts(text: str) -> None:
    encoding, encoded = encode(text)
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == measure(text).segments
    if encoding == "UCS-2":
        assert [part.encode("utf-16-be") for part in parts] == cut(encoding, encoded)
    else:
        assert [encode(part)[1] for part in parts] == cut(encoding, encoded)


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units", "left"),
    [
        ("", "GSM-7", 1, 0, 160),
        ("a" * 160, "GSM-7", 1, 160, 0),
        ("a" * 161, "GSM-7", 2, 161, 145),
        ("a" * 306, "GSM-7", 2, 306, 0),
        ("a" * 307, "GSM-7", 3, 307, 152),
        ("€" * 80, "GSM-7", 1, 160, 0),
        ("a" * 159 + "€", "GSM-7", 2, 161, 145),
        ("а" * 70, "UCS-2", 1, 70, 0),
        ("а" * 71, "UCS-2", 2, 71, 63),
        ("а" * 134, "UCS-2", 2, 134, 0),
        ("а" * 135, "UCS-2", 3, 135, 66),
        ("😀" * 35, "UCS-2", 1, 70, 0),
        ("a\x1b", "UCS-2", 1, 2, 68),
        ("ç", "UCS-2", 1, 1, 69),
    ],
)
def test_the_edges(text: str, encoding: str, segments: int, units: int, left: int) -> None:
    found = measure(text)
    assert (found.encoding, found.segments, found.units, found.left) == (encoding, segments, units, left)


def test_an_extension_character_at_position_153_moves_whole_into_the_next_segment() -> None:
    assert split("a" * 152 + "€" + "a" * 20) == ["a" * 152, "€" + "a" * 20]
    assert split("a" * 151 + "€" + "a" * 20) == ["a" * 151 + "€", "a" * 20]


def test_an_emoji_at_position_67_moves_whole_into_the_next_segment() -> None:
    assert split("а" * 66 + "😀" + "а" * 20) == ["а" * 66, "😀" + "а" * 20]
    assert split("а" * 65 + "😀" + "а" * 20) == ["а" * 65 + "😀", "а" * 20]


#: On the edges: the last character that fits, one more, and pairs that must move on whole.
BILLED = {
    "160 septets": "a" * 160,
    "161 septets": "a" * 161,
    "an extended one at 153": "a" * 152 + "€" * 77,
    "70 Cyrillic": "я" * 70,
    "71 Cyrillic": "я" * 71,
    "an emoji at 67": "я" * 66 + "😀" + "я" * 67,
}
#: Makes the codes itself and sends nothing else: only it knows how long its text becomes.
MAKES_CODES = {"targetsms_codes"}


@pytest.mark.django_db
@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in MAKES_CODES])
def test_a_provider_bills_what_was_predicted(name: str, api: Api, admin: User) -> None:
    with account_at(name, api(admin), rate_per_second=100) as account:
        for number, text in enumerate(BILLED.values()):
            account.send(f"+7916000000{number}", text)
            account.drain()
        predicted = dict(Message.objects.values_list("phone", "segments"))
        assert {sms.phone: sms.billed for sms in account.simulator.taken} == predicted
        assert sorted(predicted.values()) == sorted(map(air.parts, BILLED.values()))
