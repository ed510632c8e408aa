"""How long, as the documented API and people here write it: `12h`, `5D`. A number, and m, h, D or W."""

import re
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.errors import Refusal

UNITS = {"W": timedelta(weeks=1), "D": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
#: What is offered wherever a stay is extended; PacketFence offers the same.
OFFERED = ("1h", "3h", "12h", "1D", "2D", "3D", "5D")

_WRITTEN = re.compile(r"\s*([1-9][0-9]{0,5})\s*([mhDW])\s*")


def read(text: str, *, field: str = "duration") -> timedelta:
    """The duration that was written. Raises Refusal."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise Refusal(_("Write a number and m, h, D or W, such as 12h or 5D."), field=field)
    return int(found[1]) * UNITS[found[2]]


def written(duration: timedelta) -> str:
    """In the largest unit of which it is a whole number, weeks apart; parts of a minute are left out."""
    unit = next((name for name in ("D", "h", "m") if not duration % UNITS[name]), "m")
    return f"{duration // UNITS[unit]}{unit}"


def in_words(duration: timedelta) -> str:
    """As people say it."""
    number, unit = int(written(duration)[:-1]), written(duration)[-1]
    if unit == "D":
        sentence = ngettext("%(count)d day", "%(count)d days", number)
    elif unit == "h":
        sentence = ngettext("%(count)d hour", "%(count)d hours", number)
    else:
        sentence = ngettext("%(count)d minute", "%(count)d minutes", number)
    return sentence % {"count": number}
