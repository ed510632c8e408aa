"""The look of the guest pages: made of the one row that the administrator changes, saved or not. Knows no HTTP."""

import base64
import hashlib
import re
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from guests.models import Branding

#: The only row there is.
ROW = 1
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
#: Pictures that pages show and every browser takes for what they are.
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml"})


@dataclass(frozen=True)
class Look:
    """What a page needs. `logo` and `stylesheet` are addresses; without a logo that is empty."""

    name: str
    greeting: str
    help_text: str
    logo: str
    stylesheet: str


def current() -> Branding:
    """As the administrator wants it; until somebody says so, plain."""
    return Branding.objects.filter(pk=ROW).first() or Branding(pk=ROW)


def look_of(row: Branding, language: str, *, logo_inside: bool = False) -> Look:
    """The look in this language. `logo_inside`: the address of the logo holds the picture, for a row not saved yet."""
    with translation.override(language):
        return Look(
            name=row.name or settings.PORTAL_NAME,
            greeting=row.greeting.get(language) or _("Welcome"),
            help_text=row.help_text.get(language) or _("If something does not work, please ask at the reception."),
            logo=_logo_inside(row) if logo_inside else _logo_address(row),
            stylesheet=_stylesheet(row),
        )


def logo(row: Branding) -> bytes:
    """The picture; empty where there is none, or one of a kind that pages do not show."""
    return bytes(row.logo or b"") if row.logo_type in PICTURES else b""


def digest(content: bytes) -> str:
    """What an address has of its content, so that browsers may keep it for good."""
    return hashlib.sha256(content).hexdigest()[:16]


def style_of(colour: str, ground: str) -> str:
    """The stylesheet of these colours, without their #. Text on them is black or white, whichever reads better."""
    values = {"accent": colour, "on-accent": _readable_on(colour), "ground": ground, "on-ground": _readable_on(ground)}
    return ":root{" + ";".join(f"--brand-{name}:#{value}" for name, value in values.items()) + "}\n"


def _stylesheet(row: Branding) -> str:
    usual = Branding()
    colour = _bare(row.colour) or _bare(usual.colour)
    ground = _bare(row.ground) or _bare(usual.ground)
    return reverse("guest_look", args=[colour, ground]) + f"?{digest(style_of(colour, ground).encode())}"


def _bare(colour: str) -> str:
    return colour[1:].lower() if COLOUR.fullmatch(colour) else ""


def _logo_address(row: Branding) -> str:
    picture = logo(row)
    return reverse("guest_logo", args=[digest(picture)]) if picture else ""


def _logo_inside(row: Branding) -> str:
    picture = logo(row)
    return f"data:{row.logo_type};base64,{base64.b64encode(picture).decode()}" if picture else ""


def _readable_on(colour: str) -> str:
    """Black or white: one of them has a contrast of at least 4.58 on any colour."""
    light = luminance(colour)
    return "ffffff" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else "000000"


def luminance(colour: str) -> float:
    """As WCAG reckons it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
