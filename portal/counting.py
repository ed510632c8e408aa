"""Totals for `/metrics` that every process adds to: counted in memory, added to the database's every few seconds.

So they are right however many processes and machines there are, and cost the work that is counted next to nothing.
A process that is killed takes the last seconds' counts with it.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from portal.models import RunningTotal

logger = logging.getLogger(__name__)

#: Seconds between two times at which a process adds what it counted.
EVERY = 5.0
#: The label by which a histogram's buckets differ.
BOUND = "le"

ADD = """
INSERT INTO portal_runningtotal (name, labels, value, at) VALUES (%s, %s, %s, %s)
ON CONFLICT (name, labels)
DO UPDATE SET value = portal_runningtotal.value + excluded.value, at = excluded.at
"""

Key = tuple[str, str]


class Totals:
    """What this process counted and has not added yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[Key, float] = {}

    def add(self, name: str, amount: float, labels: Mapping[str, object]) -> None:
        """Counts."""
        key = (name, written(labels))
        with self._lock:
            self._counted[key] = self._counted.get(key, 0) + amount

    def take(self) -> dict[Key, float]:
        """All of it; nothing is left."""
        with self._lock:
            counted, self._counted = self._counted, {}
        return counted

    def give_back(self, counted: Mapping[Key, float]) -> None:
        """What could not be added is for the next time."""
        with self._lock:
            for key, amount in counted.items():
                self._counted[key] = self._counted.get(key, 0) + amount


_totals = Totals()


def add(name: str, amount: float = 1, **labels: object) -> None:
    """Counts, under these labels."""
    _totals.add(name, amount, labels)


def observe(name: str, value: float, bounds: Sequence[float], **labels: object) -> None:
    """Counts a value into the first of the bounds that it does not exceed, and adds it to the sum."""
    bound = next((one for one in bounds if value <= one), float("inf"))
    _totals.add(f"{name}_bucket", 1, {**labels, BOUND: bound})
    _totals.add(f"{name}_sum", value, labels)


def written(labels: Mapping[str, object]) -> str:
    """Labels as they are stored: the same text for the same labels."""
    return _written(tuple(sorted((name, str(value)) for name, value in labels.items())))


@lru_cache(maxsize=1024)
def _written(labels: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(labels))


def totals_of(*names: str) -> list[tuple[str, dict[str, str], float]]:
    """Name, labels and value of every total with one of these names."""
    rows = RunningTotal.objects.filter(name__in=names).order_by("name", "labels")
    return [(row.name, json.loads(row.labels), row.value) for row in rows]


def last_counted(name: str, label: str) -> dict[str, datetime]:
    """When a total with this name was last added to, by the value of one label."""
    rows = RunningTotal.objects.filter(name=name).order_by("at")
    return {json.loads(row.labels)[label]: row.at for row in rows}


def flush() -> None:
    """Adds what this process counted. While the database is away it waits in memory."""
    counted = _totals.take()
    if not counted:
        return
    now = timezone.now()
    # In one order everywhere, so that two processes never hold what the other waits for.
    rows = [(name, labels, amount, now) for (name, labels), amount in sorted(counted.items())]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(ADD, rows)
    except (DatabaseError, InterfaceError) as error:
        _totals.give_back(counted)
        logger.warning("counts wait for the database (%s)", type(error).__name__)


def take() -> dict[Key, float]:
    """What this process counted since it last added to the database's totals; it is forgotten here."""
    return _totals.take()


class _Flusher:
    """The thread that adds, in processes that live long."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="counting", daemon=True)

    def _run(self) -> None:
        while not self.stopped.wait(EVERY):
            self._flush()
        self._flush()

    @staticmethod
    def _flush() -> None:
        flush()
        connection.close()


_flushers: dict[int, _Flusher] = {}


def start(**_: object) -> None:
    """From now on this process adds what it counts, by itself; a process that was forked begins anew."""
    if os.getpid() not in _flushers:
        _flushers.clear()
        _flushers[os.getpid()] = flusher = _Flusher()
        flusher.thread.start()


def stop(**_: object) -> None:
    """The process ends: adds the rest."""
    flusher = _flushers.pop(os.getpid(), None)
    if flusher:
        flusher.stopped.set()
        flusher.thread.join(timeout=EVERY)
