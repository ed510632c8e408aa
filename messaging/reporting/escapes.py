"""Filling in an address: what stands behind a `%` says what belongs there. Pure text.

Kannel's user guide, "Parameters (Escape Codes)". In a report the phone of the message is its sender and who sent it is
its receiver, as Kannel has them.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote_plus

ESCAPE = re.compile(r"%(.)", re.DOTALL)


def filled(url: str, said: Mapping[str, str]) -> str:
    """The address with each escape that is known filled in, percent-encoded; `%%` is a `%`, others stay as they are."""
    return ESCAPE.sub(lambda found: _one(found[1], said), url)


def _one(code: str, said: Mapping[str, str]) -> str:
    if code == "%":
        return "%"
    return quote_plus(said[code], safe=":") if code in said else f"%{code}"
