"""What the clock rings for is done by one thread of a process at a time, however many bells a broker has kept."""

import threading
import time
from collections.abc import Callable


class Turn:
    """A piece of work that need not be done twice at once, because it does all there is.

    One that takes longer than `patience` seconds holds up no other: it may wait for something that never comes.
    """

    def __init__(self, work: Callable[[], object], patience: float) -> None:
        self._work = work
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way = 0
        self._began = 0.0

    def take(self) -> bool:
        """Does the work, unless somebody is doing it: then false, and nothing was done. Raises what the work does."""
        if not self._begin():
            return False
        try:
            self._work()
        finally:
            with self._lock:
                self._under_way -= 1
        return True

    def _begin(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._under_way and now - self._began < self._patience:
                return False
            self._under_way += 1
            self._began = now
            return True
