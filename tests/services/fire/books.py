"""Both books, read straight from their files and databases: what the portal says, and what the provider has."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.services.fire.judging import Ours, Theirs

OURS = """
SELECT m.id, m.phone, g.name, m.kind, m.state,
       (SELECT count(*) FROM messaging_attempt a WHERE a.message_id = m.id),
       (SELECT count(*) FROM messaging_attempt a WHERE a.message_id = m.id AND a.outcome = 'ambiguous')
FROM messaging_message m JOIN gateways_gateway g ON g.id = m.gateway_id
"""
UNDER_WAY = """
SELECT count(*) FROM messaging_message WHERE state IN ('queued', 'held', 'claimed', 'submitting', 'unknown')
"""
IN_THE_AIR = "SELECT phone FROM messaging_message WHERE state = 'submitting'"
#: PostgreSQL's sessions that hold what they locked and do nothing.
IDLE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1s'
"""


class Away(Exception):
    """The database does not answer just now."""


def ours(environment: dict[str, str]) -> list[Ours]:
    """Every message of this portal. Raises Away."""
    return [Ours(*row) for row in _rows(environment, OURS)]


def under_way(environment: dict[str, str]) -> int:
    """How many messages have not come to an end. Raises Away."""
    return int(_rows(environment, UNDER_WAY)[0][0])


def in_the_air(environment: dict[str, str]) -> set[str]:
    """The phones of messages that a worker is handing over. Raises Away."""
    return {phone for (phone,) in _rows(environment, IN_THE_AIR)}


def is_held(environment: dict[str, str]) -> bool:
    """Whether somebody stands still in the middle of a transaction, so that others wait. Raises Away."""
    if environment["DATABASE_URL"]:
        return bool(_rows(environment, IDLE)[0][0])
    path = Path(environment["PORTAL_VAR"]) / "portal.sqlite3"
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def theirs(book: Path) -> list[Theirs]:
    """Every handing-over."""
    return [Theirs(phone, bool(taken)) for phone, taken in _of_file(book, "SELECT phone, taken FROM handed")]


def _rows(environment: dict[str, str], query: str) -> Sequence[tuple[Any, ...]]:
    try:
        if environment["DATABASE_URL"]:
            with psycopg.connect(environment["DATABASE_URL"], connect_timeout=5) as connection:
                return connection.execute(query).fetchall()
        return _of_file(Path(environment["PORTAL_VAR"]) / "portal.sqlite3", query)
    except (psycopg.OperationalError, sqlite3.OperationalError) as error:
        raise Away from error


def _of_file(path: Path, query: str) -> Sequence[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(query).fetchall()
