"""Which gateways this process is busy with, so that a bell rung meanwhile is remembered and not lost."""

import threading
from collections.abc import Callable


class Busy:
    """A set of gateways with one thread each, and whether the bell rang for one of them meanwhile.

    `most` is how many threads may be busy so at once.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._rung: dict[int, bool] = {}
        self._wake: dict[int, Callable[[], object]] = {}
        self.stopping = False

    def begin(self, gateway_id: int) -> bool:
        """False when another thread is busy with this gateway already, which will look once more; or too many are."""
        with self._lock:
            if gateway_id in self._rung:
                self._ring(gateway_id)
                return False
            if self._most is not None and len(self._rung) >= self._most:
                return False
            self._rung[gateway_id] = False
            return True

    def _ring(self, gateway_id: int) -> None:
        """Bells that nobody has heard yet are one."""
        if not self._rung[gateway_id]:
            self._rung[gateway_id] = True
            self._wake.get(gateway_id, _nothing)()

    def listen(self, gateway_id: int, wake: Callable[[], object]) -> None:
        """From now on a bell for this gateway, with which the caller is busy, calls `wake` as well."""
        with self._lock:
            self._wake[gateway_id] = wake

    def heard(self, gateway_id: int) -> bool:
        """Whether the bell rang since the last look."""
        with self._lock:
            rung, self._rung[gateway_id] = self._rung[gateway_id], False
            return rung

    def finished(self, gateway_id: int) -> bool:
        """True when nobody rang since the last look: from now on a bell begins anew."""
        with self._lock:
            if self._rung[gateway_id] and not self.stopping:
                return False
            self._forget(gateway_id)
            return True

    def abandon(self, gateway_id: int) -> None:
        """Over, whether anybody rang or not."""
        with self._lock:
            self._forget(gateway_id)

    def _forget(self, gateway_id: int) -> None:
        self._rung.pop(gateway_id, None)
        self._wake.pop(gateway_id, None)


def _nothing() -> None:
    """Nobody listens: the bell is remembered."""


#: Gateways whose messages are handed over. The others are rung for again each second, and the sweep and housekeeping
#: have threads whatever happens.
drains = Busy(most=30)
#: Gateways that are asked what became of theirs, and what people wrote. Both can wait for a provider that answers
#: nothing, so they never take the threads that hand over.
questions = Busy(most=16)
fetches = Busy(most=8)


def stop_claiming() -> None:
    """This worker shuts down: what is in the air is brought home, nothing more is taken."""
    drains.stopping = True
