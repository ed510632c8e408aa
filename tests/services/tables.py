"""The portal's tables, made once for each pytest process: it takes ten seconds, and most files start a portal."""

import os
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.engine import REPOSITORY, environment_of_a_portal

SQLITE = "portal.sqlite3"


def put_into(folder: Path) -> None:
    """SQLite's file with all tables and no rows of anybody, in a portal's state folder."""
    file = folder / SQLITE
    file.touch(mode=0o600)
    file.write_bytes(_in_sqlite())


@cache
def in_postgresql() -> str:
    """The name of a database with all tables, which nobody uses but to make copies of it."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"tables_{uuid.uuid4().hex}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with TemporaryDirectory() as folder:
        _migrate({"DATABASE_URL": f"{base}/{name}", "REDIS_URL": os.environ["REDIS_URL"], "PORTAL_VAR": folder})
    return name


@cache
def _in_sqlite() -> bytes:
    with TemporaryDirectory() as folder:
        _migrate({"PORTAL_VAR": folder})
        return (Path(folder) / SQLITE).read_bytes()


def _migrate(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=REPOSITORY, env=environment_of_a_portal() | environment, check=True)
