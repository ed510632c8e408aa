"""Whether an E.164 phone is valid as it stands, told at a tenth of what the library costs, from its own tables.

The library reads any way of writing a number, and asks every kind of number in turn. Most phones come in E.164, and
thousands at once: for those each country's rules are put into one pattern.
"""

import re
from functools import cache
from typing import Any, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
#: The kinds of number that there are, as the library calls them.
KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip


class Region(NamedTuple):
    """`mine` are the first digits of its numbers, where the country has several regions; `valid` is by length."""

    mine: re.Pattern[str] | None
    valid: dict[int, re.Pattern[str]]


class Plan(NamedTuple):
    """A country's numbers. What begins with `prefix` may have to lose it."""

    prefix: re.Pattern[str] | None
    regions: list[Region]


def is_certain(phone: str) -> bool:
    """Whether this is E.164 and the library would find it valid and spell it the same way; False says nothing."""
    if not E164.fullmatch(phone):
        return False
    for end in (2, 3, 4):
        country = int(phone[1:end])
        if country in COUNTRY_CODE_TO_REGION_CODE:
            return _is_certain(_plan(country), phone[end:])
    return False


def _is_certain(plan: Plan, national: str) -> bool:
    # A leading zero belongs to the number in some countries only.
    if national.startswith("0") or (plan.prefix and plan.prefix.match(national)):
        return False
    for region in plan.regions:
        valid = region.valid.get(len(national))
        fits = bool(valid and valid.fullmatch(national))
        if region.mine.match(national) if region.mine else fits:
            return fits
    return False


@cache
def _plan(country: int) -> Plan:
    codes = COUNTRY_CODE_TO_REGION_CODE[country]
    # What belongs to the whole world has tables of another kind.
    found = [PhoneMetadata.metadata_for_region(code, None) for code in codes]
    known = [metadata for metadata in found if metadata]
    if len(known) < len(codes):
        return Plan(None, [])
    prefix = known[0].national_prefix_for_parsing
    return Plan(re.compile(prefix) if prefix else None, [_region(one, alone=len(known) == 1) for one in known])


def _region(metadata: Any, *, alone: bool) -> Region:
    mine = None if alone or metadata.leading_digits is None else re.compile(metadata.leading_digits)
    whole = metadata.general_desc
    kinds = [kind for name in KINDS if (kind := getattr(metadata, name)) and kind.national_number_pattern]
    valid = {}
    for length in range(2, 18):
        fit = [kind.national_number_pattern for kind in kinds if _has_length(kind, length)]
        if fit and _has_length(whole, length):
            either = "|".join(f"(?:{pattern})" for pattern in fit)
            valid[length] = re.compile(rf"(?=(?:{whole.national_number_pattern})\Z)(?:{either})")
    return Region(mine, valid)


def _has_length(kind: Any, length: int) -> bool:
    return not kind.possible_length or length in kind.possible_length
