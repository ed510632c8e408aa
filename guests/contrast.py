"""How well colours can be told apart, reckoned as WCAG 2 does."""

#: What small text needs, and what a page for everybody must have.
READABLE = 4.5
WHITE = "#ffffff"


def ratio(one: str, other: str) -> float:
    """From 1, which is the same colour, to 21, which is black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[begin : begin + 2], 16) / 255) for begin in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
