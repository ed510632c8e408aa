"""What a text costs, held against a reference that really encodes it and cuts the bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.texts import fill, measure, split, tidy
from portal.errors import Refusal

#: 3GPP 23.038 6.2.1, row by row in the order of the codes; 0x1B escapes to the second table.
SEPTETS = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
ESCAPE = 0x1B
ESCAPED = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
    "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip

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


def encode(text: str) -> tuple[str, bytes]:
    """The bytes that go on the air: one septet per byte, or UTF-16."""
    encoded = bytearray()
    for character in text:
        if character in ESCAPED:
            encoded += bytes([ESCAPE, ESCAPED[character]])
        elif character in SEPTETS and character != "\x1b":
            encoded.append(SEPTETS.index(character))
        else:
            return "UCS-2", text.encode("utf-16-be")
    return "GSM-7", bytes(encoded)


def cut(encoding: str, encoded: bytes) -> list[bytes]:
    """The bytes in segments; a cut steps back where it would tear a pair apart."""
    width, alone, part = (1, 160, 153) if encoding == "GSM-7" else (2, 140, 134)
    if len(encoded) <= alone:
        return [encoded]
    pieces, start = [], 0
    while len(encoded) - start > part:
        end = start + part
        first_of_pair = encoded[end - 1] == ESCAPE if encoding == "GSM-7" else 0xD8 <= encoded[end - 2] <= 0xDB
        end -= width if first_of_pair else 0
        pieces.append(encoded[start:end])
        start = end
    return [*pieces, encoded[start:]]


class TestMeasuring:
    @given(texts)
    @example("а" * 70)
    @example("а" * 71)
    @example("a" * 152 + "€" * 5)
    @example("a" * 66 + "😀" * 3)
    def test_it_agrees_with_a_reference_that_encodes_the_text(self, text: str) -> None:
        encoding, encoded = encode(text)
        pieces = cut(encoding, encoded)
        width, room = (
            (1, 160 if len(pieces) == 1 else 153) if encoding == "GSM-7" else (2, 70 if len(pieces) == 1 else 67)
        )
        found = measure(text)
        assert (found.encoding, found.segments) == (encoding, len(pieces))
        assert found.units == len(encoded) // width
        assert found.left == room - len(pieces[-1]) // width

    @given(texts)
    @example("a" * 152 + "€" * 5)
    @example("a" * 66 + "😀" * 3)
    def test_the_parts_are_the_pieces_that_the_reference_cuts(self, text: str) -> None:
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
    def test_the_edges(self, text: str, encoding: str, segments: int, units: int, left: int) -> None:
        found = measure(text)
        assert (found.encoding, found.segments, found.units, found.left) == (encoding, segments, units, left)

    def test_an_extension_character_at_position_153_moves_whole_into_the_next_segment(self) -> None:
        assert split("a" * 152 + "€" + "a" * 20) == ["a" * 152, "€" + "a" * 20]
        assert split("a" * 151 + "€" + "a" * 20) == ["a" * 151 + "€", "a" * 20]

    def test_an_emoji_at_position_67_moves_whole_into_the_next_segment(self) -> None:
        assert split("а" * 66 + "😀" + "а" * 20) == ["а" * 66, "😀" + "а" * 20]
        assert split("а" * 65 + "😀" + "а" * 20) == ["а" * 65 + "😀", "а" * 20]


class TestTidying:
    @pytest.mark.parametrize("written", ["one\r\ntwo", "one\rtwo", "one\ntwo"])
    def test_every_line_break_is_one_line_feed_and_costs_one(self, written: str) -> None:
        assert tidy(written) == "one\ntwo"
        assert split(written) == ["one\ntwo"]
        assert measure(written).units == 7

    @pytest.mark.parametrize("unsendable", ["\ud83d", "a\ude00", "\ude00\ud83d", "a\x00b"])
    def test_half_an_emoji_and_a_zero_character_are_refused(self, unsendable: str) -> None:
        for refuses in (tidy, split, measure):
            with pytest.raises(Refusal) as refused:
                refuses(unsendable)
            assert refused.value.field == "text"

    @given(st.text(st.characters(exclude_characters="\x00"), max_size=300))
    def test_any_text_is_measured_or_refused(self, text: str) -> None:
        broken = any("\ud800" <= character <= "\udfff" for character in text)
        if broken:
            with pytest.raises(Refusal):
                measure(text)
        else:
            assert measure(text).segments >= 1


class TestFilling:
    def test_it_fills_placeholders_with_and_without_braces(self) -> None:
        assert fill("$portal: ${username}/$password, $$5", portal="Wi-Fi", username="bob", password="x") == (
            "Wi-Fi: bob/x, $5"
        )

    @pytest.mark.parametrize("value", ["$password", "${password}", "$$", "$", "\\1", "{username}"])
    def test_a_value_is_never_expanded_again(self, value: str) -> None:
        assert fill("$username $password", username=value, password="secret") == f"{value} secret"

    @given(st.text(), st.text())
    def test_any_values_arrive_as_they_are(self, username: str, password: str) -> None:
        assert fill("<$username|$password>", username=username, password=password) == f"<{username}|{password}>"

    @pytest.mark.parametrize("template", ["Hello $guest", "Hello ${guest}"])
    def test_an_unknown_placeholder_is_named(self, template: str) -> None:
        with pytest.raises(Refusal, match=r"\$guest") as refused:
            fill(template, username="bob")
        assert refused.value.field == "text"

    @pytest.mark.parametrize("template", ["5 $", "$ 5", "${}", "$5", "${user name}", "$пароль"])
    def test_a_lone_dollar_sign_is_refused_with_the_remedy(self, template: str) -> None:
        with pytest.raises(Refusal, match=r"write \$\$"):
            fill(template, username="bob")

    @given(st.text())
    def test_any_template_is_filled_or_refused(self, template: str) -> None:
        try:
            filled = fill(template, username="bob")
        except Refusal:
            assert "$" in template
        else:
            assert "$" in template or filled == template

    def test_a_refusal_shows_no_values(self) -> None:
        with pytest.raises(Refusal) as refused:
            fill("$password $nobody", password="canary-secret")
        assert "canary-secret" not in refused.value.sentence
        assert refused.value.__cause__ is None
