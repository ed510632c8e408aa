"""Changing the look of the guest pages: what may be said of it, and whether it can be read. Knows no HTTP."""

from collections.abc import Mapping
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guests import contrast, logos
from guests.models import Branding
from portal.errors import Refusal

#: The only row there is.
ROW = 1
#: Characters of a greeting or a help text in one language.
LONGEST = 1000
TEXTS = ("greeting", "help_text")
#: The colour of texts on the guest pages.
INK = "#1a1a1a"


class Words(TypedDict, total=False):
    """What may be said. Texts are by language; an empty logo removes the one there is."""

    name: str
    colour: str
    ground: str
    greeting: Mapping[str, str]
    help_text: Mapping[str, str]
    logo: bytes


def current() -> Branding:
    """The row, or how it is before somebody writes it."""
    return Branding.objects.filter(pk=ROW).first() or Branding(pk=ROW)


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
    """What many people could not read, each with the remedy."""
    found = []
    if contrast.ratio(row.colour, contrast.WHITE) < contrast.READABLE:
        found.append(_("White letters on buttons of this colour are hard to read: choose a darker colour."))
    if contrast.ratio(row.colour, row.ground) < contrast.READABLE:
        found.append(
            _("Links of this colour are hard to read on this ground: choose a darker colour or a lighter ground.")
        )
    if contrast.ratio(INK, row.ground) < contrast.READABLE:
        found.append(_("Texts are hard to read on this ground: choose a lighter one."))
    return found


def _texts(name: str, by_language: object) -> dict[str, str]:
    """Those that say something, in languages there are."""
    given = by_language if isinstance(by_language, Mapping) else {}
    found = {code: str(given.get(code, "")).strip() for code, _label in settings.LANGUAGES}
    for code, text in found.items():
        if len(text) > LONGEST:
            raise Refusal(_("Write %(most)d characters at most.") % {"most": LONGEST}, field=f"{name}_{code}")
    return {code: text for code, text in found.items() if text}
