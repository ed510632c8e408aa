"""Phones as other systems' programs write them."""

import pytest

from messaging.dropin.numbers import phone_of


@pytest.mark.parametrize(
    "written",
    [
        *("79161234567", "+79161234567", " 79161234567", " +79161234567 ", "\n+79161234567\n"),
        *("89161234567", " 89161234567", "9161234567"),
    ],
)
def test_each_way_to_write_one(written: str) -> None:
    assert phone_of(written) == "+79161234567"


@pytest.mark.parametrize("written", ["84912345678", "+84912345678", " 84912345678"])
def test_a_mobile_of_another_country_is_no_landline_of_ours(written: str) -> None:
    assert phone_of(written) == "+84912345678"


@pytest.mark.parametrize("written", ["8 (495) 123-45-67", "4951234567", "74951234567"])
def test_a_landline_of_ours_that_is_written_as_one_stays_one(written: str) -> None:
    assert phone_of(written) == "+74951234567"
