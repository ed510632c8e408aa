"""How guests read a point in time."""

from datetime import datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from guests import moments

ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=ZONE)
TODAY, IN_DECEMBER, NEXT_YEAR = (
    datetime(2026, 11, 30, 0, 11, 5, tzinfo=ZONE),
    datetime(2026, 12, 3, 23, 59, tzinfo=ZONE),
    datetime(2027, 1, 3, 7, 5, tzinfo=ZONE),
)


@pytest.mark.parametrize(
    ("language", "day", "next_year"),
    [("en", "3 December, 23:59", "3 January 2027, 07:05"), ("ru", "3 декабря, 23:59", "3 января 2027, 07:05")],
)
def test_the_day_is_the_same_in_every_language(language: str, day: str, next_year: str) -> None:
    with patch("django.utils.timezone.now", return_value=NOW), translation.override(language):
        assert [moments.moment(IN_DECEMBER), moments.day_and_time(NEXT_YEAR)] == [day, next_year]


def test_of_today_the_time_is_enough_where_no_sentence_wants_the_day() -> None:
    with patch("django.utils.timezone.now", return_value=NOW), translation.override("en"):
        assert moments.moment(TODAY) == "00:11"
        assert moments.day_and_time(TODAY) == "30 November, 00:11"


def test_whoever_waits_reads_the_second() -> None:
    with patch("django.utils.timezone.now", return_value=NOW), translation.override("en"):
        assert moments.when_again(TODAY) == "00:11:05"
        assert moments.when_again(IN_DECEMBER) == "3 December, 23:59"
