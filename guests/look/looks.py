"""Changing the look of the guest pages: what may be said of it, and whether it can be read. Knows no HTTP."""

from collections.abc import Mapping
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guests.look import branding, logos
from guests.look.branding import ROW
from guests.models import Branding
from portal.errors import Refusal

#: Characters of a greeting or a help text in one language.
LONGEST = 1000
TEXTS = ("greeting", "help_text")
#: What WCAG asks of a thing that must be seen, and the white that buttons stand on.
VISIBLE, WHITE = 3, 1.0


class Words(TypedDict, total=False):
    """What may be said. Texts are by language; an empty logo removes the one there is."""

    name: str
    colour: str
    ground: str
    greeting: Mapping[str, str]
    help_text: Mapping[str, str]
    logo: bytes


@transaction.atomic
def change(**given: Unpack[Words]) -> Branding:
    """Writes what is given. Raises Refusal, which names the field."""
    Branding.objects.bulk_create([Branding(pk=ROW)], ignore_conflicts=True)
    row = described(Branding.objects.select_for_update().get(pk=ROW), **given)
    row.save()
    return row


def described(row: Branding, **given: Unpack[Words]) -> Branding:
    """The row as it would be; nothing is stored. Raises Refusal, which names the field."""
    for name, value in given.items():
        setattr(row, name, _texts(name, value) if name in TEXTS else value)
    if "logo" in given:
        row.logo_type = logos.kind_of(given["logo"]) if given["logo"] else ""
    try:
        row.clean_fields(exclude={"id", "logo", *TEXTS})
    except ValidationError as error:
        field, found = next(iter(error.message_dict.items()))
        raise Refusal(" ".join(found), field=field) from None
    return row


def warnings_of(row: Branding) -> list[str]:
    """What many people could not see, each with the remedy. Letters see to themselves: they are black or white."""
    if (WHITE + 0.05) / (branding.luminance(row.colour[1:]) + 0.05) < VISIBLE:
        return [_("Buttons of this colour are hardly seen on the white of the page: choose a darker colour.")]
    return []


def _texts(name: str, by_language: object) -> dict[str, str]:
    """Those that say something, in languages there are."""
    given = by_language if isinstance(by_language, Mapping) else {}
    found = {code: str(given.get(code, "")).strip() for code, _label in settings.LANGUAGES}
    for code, text in found.items():
        if len(text) > LONGEST:
            raise Refusal(_("Write %(most)d characters at most.") % {"most": LONGEST}, field=f"{name}_{code}")
    return {code: text for code, text in found.items() if text}
