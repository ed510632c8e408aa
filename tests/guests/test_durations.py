"""Durations as the documented API writes them."""

from datetime import timedelta

import pytest

from guests import durations
from portal.errors import Refusal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", timedelta(hours=1)),
        ("12h", timedelta(hours=12)),
        ("5D", timedelta(days=5)),
        (" 2 W ", timedelta(weeks=2)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_it_reads_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert durations.read(text) == expected


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1d", "1.5h", "1 hour", "1H", "9999999D", "1h1m", "١h"])
def test_it_refuses_anything_else(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        durations.read(text)
    assert refused.value.field == "duration"


@pytest.mark.parametrize("text", [*durations.OFFERED, "90m", "31D"])
def test_it_writes_what_it_reads(text: str) -> None:
    assert durations.written(durations.read(text)) == text


def test_people_read_words() -> None:
    words = [durations.in_words(durations.read(text)) for text in ("1h", "12h", "1D", "14D", "90m")]
    assert words == ["1 hour", "12 hours", "1 day", "14 days", "90 minutes"]
