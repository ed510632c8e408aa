"""One bell per gateway however many messages arrive: a thread rings for them, so that no caller waits for the broker.

The first message of a gateway rings at once; those that follow within PAUSE ring together when it is over, so that the
last of them never waits for the sweep. A process that is killed in between takes its bells along, and the sweep rings.
"""

import atexit
import logging
import os
import threading

from messaging import bells
from portal.faults import Point, reach

logger = logging.getLogger(__name__)

#: Seconds after a bell within which the same process does not ring again.
PAUSE = 0.03
#: Seconds a process that ends gives its last bells.
PATIENCE = 2.0


class Ringer:
    """The thread that rings, and the bells it has still to ring: tasks with the key of what they are for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: set[tuple[str, int]] = set()
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="ringing", daemon=True)

    def start(self) -> None:
        """From now on it rings."""
        self._thread.start()

    def ask(self, key: int, task: str = bells.DRAIN) -> None:
        """One bell soon, however often it is asked for meanwhile; returns at once."""
        with self._lock:
            self._asked.add((task, key))
        self._woken.set()

    def stop(self) -> None:
        """Rings what was asked for and ends."""
        self._stopped.set()
        self._woken.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait()
            self._woken.clear()
            self._ring()
            self._stopped.wait(PAUSE)
        self._ring()

    def _ring(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, set()
        for task, key in sorted(asked):
            bells.publish(task, key)
            reach(Point.RUNG)


_ringers: dict[int, Ringer] = {}
_lock = threading.Lock()


def ring_soon(key: int, task: str = bells.DRAIN) -> None:
    """Wakes a worker for this gateway, or for what else the task is for, by the one thread of this process.

    A process that was forked has its own. Where no thread can be begun the sweep finds what is due.
    """
    try:
        ringer = _ringers.get(os.getpid()) or _begin()
    except RuntimeError as error:
        logger.warning("the bell could not be rung (%s); the sweep finds what is due", error)
    else:
        ringer.ask(key, task)


def _begin() -> Ringer:
    with _lock:
        ringer = _ringers.get(os.getpid())
        if ringer is None:
            _ringers.clear()
            ringer = Ringer()
            ringer.start()
            _ringers[os.getpid()] = ringer
            atexit.register(ringer.stop)
    return ringer
