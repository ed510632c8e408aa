"""What processes keep in memory of who may do what and through whom, and how all of it is dropped at once.

The database notes every change of a watched table by itself, whoever makes it and by whatever way, in the transaction
that makes it. The version is made of these notes: what was read under the version of this moment is still true. So a
request asks one small question instead of many, and nothing that has changed is believed for a moment longer, in any
process on any machine. `registry.WATCHED` says what is watched; the triggers are made after every `migrate`.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from portal import statements
from portal.models import KeptChange
from portal.registry import WATCHED, Watched

Key = TypeVar("Key")
Value = TypeVar("Value")

#: Seconds after which anything is read anew all the same, should a trigger ever be missing.
GOOD_FOR = 5.0
MOST = 1000
#: How long a note is kept; then another takes the place of all that are older.
NOTES_KEPT = timedelta(minutes=1)
NAME = "portal_kept_change"
#: Random numbers stay below this, here and in the triggers: the sum of very many is a whole number of 64 bits.
BOUND = 1_099_511_627_776

NOW = "SELECT coalesce(sum(value), 0) FROM portal_keptchange"

# Columns are looked up when it runs: a trigger that names them would keep migrations from changing them.
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION portal_kept_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unminded text[] := string_to_array(TG_ARGV[0], ',');
    only_earlier text := TG_ARGV[1];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(OLD) - unminded = to_jsonb(NEW) - unminded AND (only_earlier = '' OR coalesce(
            (to_jsonb(OLD) ->> only_earlier)::timestamptz <= (to_jsonb(NEW) ->> only_earlier)::timestamptz, false
        )) THEN
            RETURN NULL;
        END IF;
    END IF;
    EXECUTE format(
        'INSERT INTO %I.portal_keptchange (value, at) VALUES (floor(random() * 1099511627776), now())', TG_TABLE_SCHEMA
    );
    RETURN NULL;
END $$
"""

SQLITE_NOTE = (
    "INSERT INTO portal_keptchange (value, at) "
    "VALUES (abs(random() % 1099511627776), strftime('%Y-%m-%d %H:%M:%f', 'now'));"
)


class Outdated(Exception):
    """What a request guessed was no longer true: it is to be dealt with anew. Nothing is written by then."""


@dataclass(slots=True)
class _Request:
    """The version that it decides by, and whether that is a guess nobody has confirmed."""

    guesses: bool
    version: int | None = None
    unconfirmed: bool = False


_request: ContextVar[_Request | None] = ContextVar("request", default=None)


class _Latest:
    """The version that any thread of this process has read last."""

    version: int | None = None


def now() -> int:
    """The version of this moment: one round trip, or none within `read_once` after the first time."""
    request = _request.get()
    if request is None:
        return noted(_read())
    if request.version is None and request.guesses and _Latest.version is not None and statements.answered_lately():
        request.version, request.unconfirmed = _Latest.version, True
    return noted(_read()) if request.version is None else request.version


def _read() -> int:
    return int(statements.ask(NOW)[0][0])


def noted(version: int) -> int:
    """The same version, which was just read; within `read_once` it is the one to decide by. Raises Outdated."""
    _Latest.version = version
    request = _request.get()
    if request is not None and request.version is None:
        request.version = version
    elif request is not None and request.unconfirmed:
        request.unconfirmed = False
        if request.version != version:
            raise Outdated
    return version


@contextmanager
def read_once(*, guesses: bool = False) -> Iterator[None]:
    """A request: it decides by what was true when it asked first.

    Where it `guesses`, it takes what this process read last for the version of this moment, and asks nobody. Before it
    does anything by that, it has to `confirm`, or to write by a statement that writes only under the `guess`.
    """
    token = _request.set(_Request(guesses))
    try:
        yield
    finally:
        _request.reset(token)


def guess() -> int | None:
    """The version that a statement has to find; None where it was read."""
    request = _request.get()
    return request.version if request is not None and request.unconfirmed else None


def found_true() -> None:
    """The statement wrote: the guess was right."""
    request = _request.get()
    if request is not None:
        request.unconfirmed = False


def confirm() -> None:
    """Finds out whether the guess, if there is one, is right. Raises Outdated."""
    if guess() is not None:
        noted(_read())


def look_again() -> None:
    """Within `read_once`: something turned out to have changed meanwhile, so that the version is to be read anew."""
    request = _request.get()
    if request is not None:
        request.version, request.guesses, request.unconfirmed = None, False, False


@dataclass(slots=True)
class _Entry(Generic[Value]):
    """What was read under a version, until when it may be believed, and when it was last found true."""

    version: int
    until: float
    true_at: float
    value: Value


class Kept(Generic[Key, Value]):
    """What was read under a version, by its key. Values are shared between threads: whoever changes one
    has taken a copy, but for a token's end that only moves on."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry[Value]] = {}
        EVERYTHING.append(self)

    def get(self, key: Key, *, unasked: float = 0.0) -> Value | None:
        """What was read before, where it is still true; None where nothing is known.

        What was true within the last `unasked` seconds is taken for true, and nobody is asked.
        """
        entry, at = self._entries.get(key), time.monotonic()
        if entry is None or entry.until < at:
            return None
        if at - entry.true_at >= unasked:
            if entry.version != now():
                return None
            entry.true_at = at
        return entry.value

    def put(self, key: Key, version: int, value: Value) -> None:
        """Keeps what was read, with the version that was read before it or together with it."""
        if len(self._entries) >= MOST:
            self._entries.clear()
        at = time.monotonic()
        self._entries[key] = _Entry(version, at + GOOD_FOR, at, value)

    def forget(self) -> None:
        """Everything is read anew."""
        self._entries.clear()


#: All that this process keeps.
EVERYTHING: list[Kept[Any, Any]] = []


def forget() -> None:
    """Everything that this process keeps is read anew; only tests need it, whose database begins anew."""
    _Latest.version = None
    for kept in EVERYTHING:
        kept.forget()


def forget_old_notes() -> int:
    """Housekeeping: puts one note in the place of all that are older than NOTES_KEPT. Returns how many are fewer.

    The new one keeps the version from becoming one that it was before.
    """
    with transaction.atomic():
        old = list(KeptChange.objects.filter(at__lt=timezone.now() - NOTES_KEPT).values_list("pk", flat=True))
        if len(old) < 2:
            return 0
        KeptChange.objects.filter(pk__in=old).delete()
        KeptChange.objects.create(value=secrets.randbelow(BOUND), at=timezone.now())
    return len(old) - 1


def unwatch(using: str = DEFAULT_DB_ALIAS) -> None:
    """Before a migration: SQLite would stumble over triggers on tables that it makes anew."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{NAME}%"])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')


def watch(using: str = DEFAULT_DB_ALIAS) -> None:
    """After a migration: makes the triggers on every watched table that is there."""
    connection = connections[using]
    there = set(connection.introspection.table_names())
    if KeptChange._meta.db_table not in there:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(POSTGRESQL_FUNCTION)
    for watched in WATCHED:
        if _table(watched) in there:
            # Another process may change a row at this moment, and must find the old trigger or the new one.
            with transaction.atomic(using=using), connection.cursor() as cursor:
                for statement in _triggers(connection, watched):
                    cursor.execute(statement)


def _table(watched: Watched) -> str:
    return str(apps.get_model(watched.model)._meta.db_table)


def _triggers(connection: BaseDatabaseWrapper, watched: Watched) -> Iterator[str]:
    table = _table(watched)
    events = ["update", "delete", *(["insert"] if watched.inserts else [])]
    if connection.vendor == "postgresql":
        arguments = f"'{','.join(watched.unminded)}', '{watched.only_earlier}'"
        for name, event, each in (
            (NAME, " OR ".join(events), "ROW"),
            (f"{NAME}_truncate", "truncate", "STATEMENT"),
        ):
            yield f'DROP TRIGGER IF EXISTS {name} ON "{table}"'
            yield (
                f'CREATE TRIGGER {name} AFTER {event} ON "{table}" FOR EACH {each} EXECUTE FUNCTION {NAME}({arguments})'
            )
        return
    for event in events:
        condition = f"WHEN {_differs(watched)}" if event == "update" else ""
        yield f'DROP TRIGGER IF EXISTS "{NAME}_{table}_{event}"'
        yield f'CREATE TRIGGER "{NAME}_{table}_{event}" AFTER {event} ON "{table}" {condition} BEGIN {SQLITE_NOTE} END'


def _differs(watched: Watched) -> str:
    # Those of a parent have a table of their own.
    fields = apps.get_model(watched.model)._meta.local_concrete_fields
    columns = [field.column for field in fields if field.column not in watched.unminded]
    differs = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
    if watched.only_earlier:
        earlier = f'coalesce(OLD."{watched.only_earlier}" <= NEW."{watched.only_earlier}", 0)'
        differs += f" OR NOT {earlier}"
    return differs
