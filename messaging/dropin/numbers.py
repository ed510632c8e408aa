"""Phones as other systems' programs write them: with a country code, whose plus a query may have made a space of."""

from collections.abc import Iterable

from messaging import phones
from portal.errors import Refusal


def phone_of(written: str) -> str:
    """The phone in E.164. Without a plus it is one of PHONE_REGION where it can be. Raises Refusal (field `phone`)."""
    # `?recipients=+7916…` with a bare plus, as documents print it, is a space here.
    if written.startswith(" "):
        written = f"+{written.strip()}"
    try:
        return phones.normalise(written)
    except Refusal:
        digits = phones.bare(written)
        if not digits.isdecimal() or digits.startswith("0"):
            raise
        return phones.normalise(f"+{digits}")


def spelled(written: str) -> str:
    """The phone in E.164, or what is none as it was written."""
    try:
        return phone_of(written)
    except Refusal:
        return written


def each_once(written: Iterable[str]) -> list[str]:
    """Each phone once, as it was written first, in whatever ways it is written."""
    first: dict[str, str] = {}
    for one in written:
        first.setdefault(spelled(one), one)
    return list(first.values())
