"""The database of a portal, asked from outside: what is in it, and whether somebody who stands still holds it up."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

#: Seconds that a transaction on PostgreSQL is open before it counts as held: those of a portal that runs are shorter.
LONG = 1.0
#: Seconds from the moment when somebody stopped until whatever transaction it is in is surely older than LONG.
SURELY_LONG = 1.5
#: Whatever state its session is in: what was asked last may still be at work although nobody will hear the answer.
HELD = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start < now() - interval '%s s'
"""
#: Of SQLite's codes, what says which kind of error it is; the rest says more of it.
KIND = 0xFF


class Away(Exception):
    """The database does not answer just now."""


def is_held(environment: dict[str, str]) -> bool:
    """Whether one of those that have just stopped is in the middle of a transaction, so that others wait. Raises Away.

    It takes as long as such a transaction takes to be told from others.
    """
    if environment["DATABASE_URL"]:
        time.sleep(SURELY_LONG)
        return bool(rows(environment, HELD % LONG)[0][0])
    try:
        with closing(sqlite3.connect(_address(_file(environment), "rw"), uri=True, timeout=2)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & KIND == sqlite3.SQLITE_BUSY:
            return True
        raise Away from error
    return False


def rows(environment: dict[str, str], query: str) -> Sequence[tuple[Any, ...]]:
    """What the database of the portal in this environment answers. Raises Away."""
    try:
        if environment["DATABASE_URL"]:
            with psycopg.connect(environment["DATABASE_URL"], connect_timeout=5) as connection:
                return connection.execute(query).fetchall()
        return rows_of_file(_file(environment), query)
    except (psycopg.OperationalError, sqlite3.OperationalError) as error:
        raise Away from error


def rows_of_file(path: Path, query: str) -> Sequence[tuple[Any, ...]]:
    """What this file of SQLite's answers, which is not written to."""
    with closing(sqlite3.connect(_address(path, "ro"), uri=True, timeout=20)) as connection:
        return connection.execute(query).fetchall()


def _file(environment: dict[str, str]) -> Path:
    return Path(environment["PORTAL_VAR"]) / "portal.sqlite3"


def _address(path: Path, mode: str) -> str:
    """An address does not make the file that is missing."""
    return f"file:{path}?mode={mode}"
