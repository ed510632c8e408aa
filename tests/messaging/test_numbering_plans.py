"""What we say of a phone without asking the library is what the library says."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat

from messaging.numbering_plans import is_certain

#: One number of each kind in each region that has one.
EXAMPLES = sorted({
    phonenumbers.format_number(number, PhoneNumberFormat.E164)
    for regions in COUNTRY_CODE_TO_REGION_CODE.values()
    for region in regions
    for kind in phonenumbers.PhoneNumberType.values()
    if region != "001" and (number := phonenumbers.example_number_for_type(region, kind))
})  # fmt: skip


def asked(phone: str, region: str = "RU") -> str:
    """The phone as the library spells it; empty where it is not valid."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return ""
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if valid else ""


def test_nothing_is_certain_that_the_library_reads_otherwise() -> None:
    wrong = [phone for phone in EXAMPLES if is_certain(phone) and asked(phone) != phone]
    assert not wrong


def test_hardly_any_number_has_to_be_asked_about() -> None:
    assert sum(map(is_certain, EXAMPLES)) > 0.9 * len(EXAMPLES)
    assert is_certain("+79161234567")


@given(
    st.sampled_from(EXAMPLES),
    st.text("0123456789", min_size=1, max_size=9),
    st.integers(-2, 1),
    st.sampled_from(["RU", "KZ", "US", "IT"]),
)
def test_nor_any_number_like_them(phone: str, digits: str, longer: int, region: str) -> None:
    like = phone[: max(2, len(phone) - len(digits) + longer)] + digits
    if is_certain(like):
        assert asked(like, region) == like


@given(st.text("+0123456789", max_size=18))
def test_nor_any_digits_at_all(text: str) -> None:
    if is_certain(text):
        assert asked(text) == text


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "+",
        "79161234567",
        "+7916123456",
        "+791612345678",
        "+7 916 1234567",
        "+79161234567\n",
        "+٧٩١٦١٢٣٤٥٦٧",
        "+999123456789",
    ],
)
def test_it_never_answers_for_what_is_no_phone_in_e164(phone: str) -> None:
    assert not is_certain(phone)
