"""Much work in small transactions: between two of them everybody else has a turn, and none of it is long."""

import time
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

#: How many seconds of a minute housekeeping gives to one kind of work.
LONGEST = 2.0
#: Seconds after each portion. SQLite has one writer, and those that wait for it look only now and then.
PAUSE = 0.02


def in_portions(deal: Callable[[int], int], size: int) -> int:
    """Calls `deal` with the size of a portion until it finds fewer rows, or the time is over; how many it dealt with.

    Each call is one short transaction, and says how many rows it found.
    """
    until, total = time.monotonic() + LONGEST, 0
    while True:
        found = deal(size)
        total += found
        if found < size or time.monotonic() >= until:
            return total
        time.sleep(PAUSE)


def drop(rows: QuerySet[Any], most: int) -> int:
    """Throws away the first so many of these rows; how many it found. Where their order matters, they have one."""
    keys = list(rows.values_list("pk", flat=True)[:most])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
