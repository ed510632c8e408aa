"""What a provider's values mean, one in a line; and sets of HTTP statuses."""

import re
from collections.abc import Collection

from django.utils.translation import gettext as _

STATUSES = re.compile(r"\s*\d{3}\s*(?:-\s*\d{3}\s*)?(?:,\s*\d{3}\s*(?:-\s*\d{3}\s*)?)*", re.ASCII)


class BadTable(ValueError):
    """A line that is not understood; its text tells the administrator what to write instead."""


def statuses(written: str) -> frozenset[int]:
    """The HTTP statuses in `200-299, 302`. Raises BadTable."""
    if not written.strip():
        return frozenset()
    if not STATUSES.fullmatch(written):
        raise BadTable(_("Write HTTP statuses such as 200-299 or 429, 503."))
    found: set[int] = set()
    for one in written.split(","):
        first, _dash, last = one.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def table(lines: str, meanings: Collection[str]) -> dict[str, str]:
    """What each value means, from lines such as `DELIVRD = delivered`; capitals make no difference. Raises BadTable."""
    found = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        value, _sign, meaning = (part.strip().lower() for part in line.rpartition("="))
        if not value or meaning not in meanings:
            sentence = _("“%(line)s” is not understood: write “value = meaning”; meanings: %(known)s.")
            raise BadTable(sentence % {"line": line[:40], "known": ", ".join(meanings)})
        found[value] = meaning
    return found
