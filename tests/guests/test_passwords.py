"""Passwords that the portal makes."""

import re
from math import log2

import pytest

from guests import passwords
from guests.models import GuestType, PasswordStyle
from portal.errors import Refusal

SHAPES = {
    PasswordStyle.WORDS: r"[a-z]{4,8}(-[a-z]{4,8}){2}",
    PasswordStyle.DIGITS: r"[0-9]{8}",
    PasswordStyle.MIXED: r"[a-z2-9]{8}",
}
LENGTHS = {PasswordStyle.WORDS: 3, PasswordStyle.DIGITS: 8, PasswordStyle.MIXED: 8}


@pytest.mark.parametrize("style", PasswordStyle)
def test_each_style_has_its_shape_and_is_never_twice_the_same(style: PasswordStyle) -> None:
    kind = GuestType(password_style=style, password_length=LENGTHS[style])
    made = [passwords.generate(kind) for _ in range(50)]
    assert len(set(made)) == 50
    assert all(re.fullmatch(SHAPES[style], password) for password in made)


def test_without_a_type_it_is_three_words() -> None:
    assert len(passwords.generate(None).split("-")) == 3


def test_nothing_in_it_looks_like_something_else() -> None:
    assert not set("0o1il") & set(passwords.LETTERS_AND_DIGITS)


def test_the_words_are_plain_short_and_each_there_once() -> None:
    words = passwords.WORDS
    assert len(words) == len(set(words)) >= 512
    assert all(re.fullmatch(r"[a-z]{4,8}", word) for word in words)


@pytest.mark.parametrize("style", PasswordStyle)
def test_the_shortest_allowed_is_strong_enough_and_anything_shorter_refused(style: PasswordStyle) -> None:
    least = passwords.least_length(style)
    assert log2(len(passwords.STYLES[style].parts)) * least >= passwords.LEAST_BITS
    passwords.check_length(style, least)
    for length in (least - 1, passwords.LONGEST + 1):
        with pytest.raises(Refusal) as refused:
            passwords.check_length(style, length)
        assert refused.value.field == "password_length"


def test_what_a_new_type_begins_with_is_allowed() -> None:
    kind = GuestType()
    passwords.check_length(kind.password_style, kind.password_length)


def test_a_reset_gives_a_new_password_and_the_old_one_opens_nothing(db: None) -> None:
    kind = GuestType.objects.create(name="Door", password_style=PasswordStyle.DIGITS, password_length=9)
    guest = kind.guests.create(username="bob")
    first = passwords.reset(guest)
    second = passwords.reset(guest)
    guest.refresh_from_db()
    assert len(second) == 9
    assert guest.check_password(second)
    assert not guest.check_password(first)
