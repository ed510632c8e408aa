"""What time it is, the same on every machine: on PostgreSQL the database's clock, read now and then and carried on.

Leases, due times and tokens are written by one machine and read by another, and no machine's clock is to be trusted:
one that is a minute fast would take living workers for dead. Between two readings this process carries the time on
with a clock that nobody sets, and that also runs while the machine sleeps. With SQLite there is one machine.
"""

import logging
import os
import threading
import time
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

logger = logging.getLogger(__name__)

#: Seconds between two readings: a quartz that is off by 100 millionths is off by 3 ms then.
EVERY = 30.0
#: Of so many readings the shortest counts, which is off by less than half of what it took.
READINGS = 3
#: A reading that took longer than this many seconds is too vague to be worth more than the last one.
VAGUE = 0.5


class _Clock:
    """By how many seconds the database's time is ahead of our steady seconds; None until it was read."""

    def __init__(self) -> None:
        self.started = False
        self.ahead: float | None = None

    def now(self) -> datetime:
        if self.started and self.ahead is None:
            # The database was away when this process began.
            read()
        return timezone.now() if self.ahead is None else datetime.fromtimestamp(_steady() + self.ahead, UTC)


def _steady() -> float:
    """Seconds that only ever grow, at the pace of time."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


_clock = _Clock()


def now() -> datetime:
    """This moment, aware, in UTC; this machine's clock counts in a process that has not called `start`."""
    return _clock.now()


def read() -> None:
    """Reads the database's clock, where there is a server that has one. While it is away the time is carried on."""
    if connection.vendor != "postgresql":
        return
    try:
        # The connection first: making one takes longer than asking.
        with connection.cursor() as cursor:
            took, ahead = min(_reading(cursor) for _ in range(READINGS))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database's clock could not be read (%s)", type(error).__name__)
        return
    if took < VAGUE or _clock.ahead is None:
        _clock.ahead = ahead


def _reading(cursor: CursorWrapper) -> tuple[float, float]:
    """How long the question took, and by how much the database is ahead of us."""
    before = _steady()
    cursor.execute("SELECT clock_timestamp()")
    (moment,) = cursor.fetchone()
    took = _steady() - before
    return took, moment.timestamp() - (before + took / 2)


class _Reader:
    """The thread that reads it again and again."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def _run(self) -> None:
        while not self.stopped.wait(EVERY):
            read()
            connection.close()


_readers: dict[int, _Reader] = {}


def start(**_: object) -> None:
    """From now on the database's clock counts in this process; one that was forked begins anew."""
    if connection.vendor == "postgresql" and os.getpid() not in _readers:
        _clock.started = True
        read()
        connection.close()
        _readers.clear()
        _readers[os.getpid()] = reader = _Reader()
        reader.thread.start()


def stop(**_: object) -> None:
    """The process ends, or a test does: this machine's clock counts again."""
    reader = _readers.pop(os.getpid(), None)
    if reader:
        reader.stopped.set()
        reader.thread.join(timeout=EVERY)
    _clock.started, _clock.ahead = False, None
