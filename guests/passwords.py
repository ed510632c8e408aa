"""Passwords of guests: making one that can be read aloud and typed, hashing, setting and clearing it."""

import secrets
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import accounts
from guests.models import Guest, GuestType, PasswordStyle
from portal.errors import Refusal

#: Plain English words of 4 to 8 letters.
WORDS = tuple(Path(__file__).with_name("words.txt").read_text(encoding="ascii").split())
DIGITS = "0123456789"
#: Without those that look like another one: 0 and o, 1, i and l.
LETTERS_AND_DIGITS = "abcdefghjkmnpqrstuvwxyz23456789"

#: As many as eight digits have: enough for what is kept as an Argon2id hash and lasts days.
LEAST_BITS = 26
LONGEST = 32
EMPTY_PASSWORD = gettext_lazy("A password cannot be empty.")


class Style(NamedTuple):
    """What a password is drawn from, and what stands between two parts of it."""

    parts: tuple[str, ...]
    between: str


STYLES: dict[str, Style] = {
    PasswordStyle.WORDS: Style(WORDS, "-"),
    PasswordStyle.DIGITS: Style(tuple(DIGITS), ""),
    PasswordStyle.MIXED: Style(tuple(LETTERS_AND_DIGITS), ""),
}


def generate(guest_type: GuestType | None) -> str:
    """A new password by the rules of the type; without one three words."""
    style = STYLES[guest_type.password_style if guest_type else PasswordStyle.WORDS]
    length = guest_type.password_length if guest_type else 3
    return style.between.join(drawn(style.parts, length))


def drawn(parts: tuple[str, ...], length: int) -> list[str]:
    """So many parts, drawn at random."""
    choose: Callable[[tuple[str, ...]], str] = secrets.choice
    return [choose(parts) for _part in range(length)]


def least_length(style: str) -> int:
    """How many parts a password of this style needs."""
    bits = log2(len(STYLES[style].parts))
    return next(length for length in range(1, LONGEST) if length * bits >= LEAST_BITS)


def check_length(style: str, length: int) -> None:
    """Raises Refusal (field `password_length`) where such passwords are guessed too easily, or too long to type."""
    least = least_length(style)
    if not least <= length <= LONGEST:
        sentence = _("Passwords of this kind need %(least)s to %(most)s of them.")
        raise Refusal(sentence % {"least": least, "most": LONGEST}, field="password_length")


def hash_password(password: str) -> str:
    """What is kept of a password. Costs tens of milliseconds of CPU: call it before the database is locked.

    Raises Refusal for an empty one.
    """
    if not password:
        raise Refusal(EMPTY_PASSWORD, field="password")
    return make_password(password)


def put(guest: Guest, password_hash: str) -> None:
    """The guest has this password from now on."""
    accounts.write(guest, password=password_hash)


def clear(guest: Guest) -> None:
    """The guest has no password any more."""
    put(guest, "")


def make(guest: Guest) -> tuple[str, str]:
    """A new password for the guest, and its hash; nothing is set yet. Raises Refusal (a conflict)."""
    accounts.refuse_anonymised(guest)
    password = generate(guest.guest_type)
    return password, hash_password(password)


def reset(guest: Guest) -> str:
    """Gives the guest a new password and returns it, this once. Hashes, so call it outside of transactions."""
    password, password_hash = make(guest)
    put(guest, password_hash)
    return password
