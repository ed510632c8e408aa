"""One spelling for a phone, whatever was written."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from messaging.phones import normalise
from portal.errors import Refusal

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
PREFIXES = st.sampled_from(["+7", "8", "7", "", "007", "+ 7", "8 ", "+7 (", "\u202a+7"])
GAPS = st.text(st.sampled_from(" -\u00a0().\u2011/\u200b\t"), max_size=2)


@given(PREFIXES, st.lists(GAPS, min_size=11, max_size=11))
def test_every_russian_spelling_of_a_phone_is_one_phone(prefix: str, gaps: list[str]) -> None:
    written = "".join(gap + digit for gap, digit in zip(gaps, "9161234567", strict=False))
    assert normalise(prefix + written + gaps[-1]) == "+79161234567"


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("+7 916 123-45-67", "+79161234567"),
        ("8 (916) 123-45-67", "+79161234567"),
        ("8-916-123-45-67", "+79161234567"),
        ("7 916 1234567", "+79161234567"),
        ("916.123.45.67", "+79161234567"),
        ("00 7 916 123 45 67", "+79161234567"),
        ("+79161234567", "+79161234567"),
        ("\ufeff\u202a+7\u00a0916\u00a0123\u201345\u201367\u202c", "+79161234567"),
        ("8 10 375 29 123-45-67", "+375291234567"),
        ("+375 29 123-45-67", "+375291234567"),
        ("0049 1511 2345678", "+4915112345678"),
    ],
)
def test_it_reads_what_people_write(written: str, phone: str) -> None:
    assert normalise(written) == phone


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "+",
        "00",
        "+00",
        "0000000000",
        "12345",
        "+7495",
        "+7916123456",
        "+791612345678",
        "8916123456",
        "+89161234567",
        "+99912345678",
        "9161234567 доб. 12",
        "+79161234567x12",
        "+79161234567;ext=12",
        "+79161234567#12",
        "+79161234567,12",
        "tel:+79161234567",
        "+7916CALLNOW",
        "+7+9161234567",
        "79161234567+",
        "+79161234567 +79161234568",
        "bob",
        "(123) 456-789",
        "+7916123456\x00",
        "\ud83d",
        "²" * 11,
        "1" * 10_000,
    ],
)
def test_it_refuses_what_is_no_number_with_the_remedy(written: str) -> None:
    with pytest.raises(Refusal, match=r"write it like \+79161234567") as refused:
        normalise(written)
    assert refused.value.field == "phone"


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(Refusal) as refused:
        normalise("+7 916 555-00-1")
    assert "555" not in refused.value.sentence
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@given(st.one_of(st.text(), st.text(st.sampled_from("0123456789+-() \u00a00")), st.from_regex(r"\+?[0-9]{5,20}")))
@example("٧٩١٦١٢٣٤٥٦٧")
def test_anything_is_a_number_in_e164_or_refused(written: str) -> None:
    try:
        phone = normalise(written)
    except Refusal:
        return
    assert E164.fullmatch(phone)
    assert normalise(phone) == phone


def test_the_home_country_is_a_setting(settings: Settings) -> None:
    settings.PHONE_REGION = "DE"
    assert normalise("01511 2345678") == "+4915112345678"
    assert normalise("+7 916 123-45-67") == "+79161234567"
