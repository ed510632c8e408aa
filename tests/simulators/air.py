"""What a text is on the air: an encoder of its own, made from 3GPP 23.038 and 23.040, that cuts real bytes.

Simulated providers bill by it, and tests hold the portal's own figures against it; it shares no line with the portal.
"""

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


def parts(text: str) -> int:
    """For how many SMS an operator would bill the text."""
    return len(cut(*encode(text)))
