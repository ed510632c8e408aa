"""Phones as other systems' programs write them: with a country code, whose plus a query may have made a space of."""

from collections.abc import Iterable

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from messaging import phones
from portal.errors import Refusal


def phone_of(written: str) -> str:
    """The phone in E.164. Raises Refusal (field `phone`).

    Without a plus it is one of PHONE_REGION where it can be. All systems have digits in full, though: such as are a
    landline there and a mobile elsewhere, as 84912345678 in Ryazan and in Vietnam, are what the documents say.
    """
    # `?recipients=+7916…` with a bare plus, as documents print it, is a space here; but so is one behind a comma.
    if written.startswith(" "):
        try:
            return phones.normalise(f"+{written.strip().removeprefix('+')}")
        except Refusal:
            written = written.strip()
    digits = phones.bare(written)
    in_full = f"+{digits}"
    try:
        phone = phones.normalise(written)
    except Refusal:
        if not digits.isdecimal() or digits.startswith("0"):
            raise
        return phones.normalise(in_full)
    if written != digits or phone in {digits, in_full} or _type_of(phone) != PhoneNumberType.FIXED_LINE:
        return phone
    return in_full if _type_of(in_full) == PhoneNumberType.MOBILE else phone


def spelled(written: str) -> str:
    """The phone in E.164, or what is none as it was written."""
    try:
        return phone_of(written)
    except Refusal:
        return written


def _type_of(phone: str) -> int:
    try:
        return phonenumbers.number_type(phonenumbers.parse(phone))
    except NumberParseException:
        return PhoneNumberType.UNKNOWN


def each_once(written: Iterable[str]) -> list[str]:
    """Each phone once, as it was written first, in whatever ways it is written."""
    first: dict[str, str] = {}
    for one in written:
        first.setdefault(spelled(one), one)
    return list(first.values())
