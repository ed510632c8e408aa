"""SQLite compares texts as PostgreSQL does: without regard to case in every alphabet, not in ASCII alone."""

import re
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


def register() -> None:
    """Every connection that is opened from now on has our `like`."""
    connection_created.connect(_prepare, dispatch_uid="portal.sqlite")


def _prepare(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite":
        for arguments in (2, 3):
            connection.connection.create_function("like", arguments, like, deterministic=True)


def like(pattern: Any, value: Any, escape: str = "") -> bool | None:
    """SQL's `value LIKE pattern ESCAPE escape`: null where either is null."""
    if pattern is None or value is None:
        return None
    return _compiled(str(pattern), escape).fullmatch(str(value).casefold()) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str, escape: str) -> re.Pattern[str]:
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if escape and character == escape:
            parts.append(re.escape(next(characters, "").casefold()))
        elif character == "%":
            parts.append(".*")
        else:
            parts.append("." if character == "_" else re.escape(character.casefold()))
    return re.compile("".join(parts), re.DOTALL)
