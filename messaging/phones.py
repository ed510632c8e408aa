"""One spelling for a phone number: E.164. Which numbers may be written to is not decided here."""

import re
import unicodedata

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat

from messaging import numbering_plans
from messaging.numbering_plans import E164
from portal.errors import Refusal

#: What people put between digits; contact lists add invisible marks of direction (category Cf).
SEPARATORS = re.compile(r"[\s().\[\]/‐-―−-]+")
DIGITS = re.compile(r"\+?[0-9]{5,20}")


def normalise(raw: str) -> str:
    """The number in E.164; without a country code it belongs to PHONE_REGION. Raises Refusal (field `phone`)."""
    if numbering_plans.is_certain(raw):
        return raw
    digits = bare(raw)
    if not DIGITS.fullmatch(digits):
        raise _no_number()
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if numbering_plans.is_certain(digits):
        return digits
    try:
        number = phonenumbers.parse(digits, settings.PHONE_REGION)
    except NumberParseException:
        raise _no_number() from None
    phone = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number) or not E164.fullmatch(phone):
        raise _no_number()
    return phone


def spaced(phone: str) -> str:
    """An E.164 phone as people write it, +7 916 123-45-67; one that was made anonymous stays empty."""
    return phone and phonenumbers.format_number(phonenumbers.parse(phone), PhoneNumberFormat.INTERNATIONAL)


def example() -> str:
    """A mobile phone of PHONE_REGION, as people write it."""
    found = phonenumbers.example_number_for_type(settings.PHONE_REGION, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(found, PhoneNumberFormat.INTERNATIONAL) if found else "+7 916 123-45-67"


def bare(raw: str) -> str:
    """What was written without what people put between digits."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", raw) if unicodedata.category(c) != "Cf")
    return SEPARATORS.sub("", visible)


def _no_number() -> Refusal:
    # It does not repeat what was written: refusals reach logs and audit rows.
    return Refusal(_("This is not a phone number; write it like +79161234567."), field="phone")
