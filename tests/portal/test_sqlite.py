"""Searching without regard to case, on SQLite as on PostgreSQL."""

from collections.abc import Callable

import pytest

from portal.models import User
from portal.sqlite import like


@pytest.mark.parametrize("stored", ["Иван Ёлкин", "Ivan Élan"])
@pytest.mark.parametrize("change", [str, str.lower, str.upper, str.swapcase])
class TestTexts:
    def test_parts_of_it_are_found(self, db: None, stored: str, change: Callable[[str], str]) -> None:
        user = User.objects.create(username="ivan", last_name=stored)
        User.objects.create(username="other", last_name="Пётр Ivanov")
        wanted = change(stored)
        for lookup, value in [
            ("icontains", wanted[2:7]),
            ("istartswith", wanted[:4]),
            ("iendswith", wanted[-4:]),
            ("iexact", wanted),
        ]:
            assert list(User.objects.filter(**{f"last_name__{lookup}": value})) == [user], lookup


@pytest.mark.parametrize("part", ["%", "_", "\\", "100%", "a_b", "c\\d"])
def test_signs_of_a_pattern_are_found_as_they_are(db: None, part: str) -> None:
    user = User.objects.create(username="signs", last_name="100% A_B C\\D\nend")
    User.objects.create(username="plain", last_name="100 AxB CD")
    assert list(User.objects.filter(last_name__icontains=part)) == [user]


@pytest.mark.parametrize(
    ("pattern", "value", "escape", "found"),
    [
        ("иван%", "ИВАН\nПетров", "", True),
        ("_ван", "Иван", "", True),
        ("_ван", "Ван", "", False),
        ("100\\%", "100%", "\\", True),
        ("100\\%", "1000", "\\", False),
        ("a.c", "abc", "", False),
        ("ван", "Иван", "", False),
        (12, 12, "", True),
        (None, "x", "", None),
        ("x", None, "", None),
    ],
)
def test_a_pattern_means_what_it_means_in_sql(
    pattern: str | int | None, value: str | int | None, escape: str, found: bool | None
) -> None:
    assert like(pattern, value, escape) is found
