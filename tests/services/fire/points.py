"""`python -m tests.services.fire.points FUSE CLOCK celery|gunicorn …`: a process of the portal that may blow up.

It kills or freezes itself where the order in the file FUSE says so, and its machine's clock is CLOCK seconds fast.
Nothing in the portal knows of it: it listens to `portal.faults`.
"""

import json
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import time_machine
from django.utils.module_loading import import_string

from portal import faults
from portal.faults import Point

KILL, FREEZE = signal.SIGKILL, signal.SIGSTOP


@dataclass(frozen=True)
class Order:
    """What to do to oneself, and at the how many-th time that one has come to this point."""

    point: Point
    nth: int = 1
    deed: signal.Signals = KILL

    def light(self, fuse: Path) -> None:
        """From now on whoever watches this fuse obeys."""
        draft = fuse.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)))
        draft.rename(fuse)

    @classmethod
    def read(cls, text: str) -> "Order":
        """The order that `light` wrote."""
        said = json.loads(text)
        return cls(Point(said["point"]), said["nth"], signal.Signals(said["deed"]))


class Watch:
    """Watches a fuse. It is out before the deed is done, so that a process that comes after lives."""

    def __init__(self, fuse: Path, deed: Callable[[signal.Signals], object]) -> None:
        self._fuse = fuse
        self._deed = deed
        self._lock = threading.Lock()
        self._order = ""
        self._times = 0

    def reached(self, point: Point) -> None:
        """This process is at that point; it may never come back from here."""
        with self._lock:
            order = self._due(point)
        if order:
            self._deed(order.deed)

    def _due(self, point: Point) -> Order | None:
        try:
            text = self._fuse.read_text()
        except FileNotFoundError:
            return None
        if text != self._order:
            self._order, self._times = text, 0
        order = Order.read(text)
        self._times += point is order.point
        if point is not order.point or self._times < order.nth:
            return None
        self._order = ""
        try:
            self._fuse.unlink()
        except FileNotFoundError:
            # Another process with the same fuse was faster.
            return None
        return order


def main() -> None:
    """Becomes the program that is named."""
    fuse, fast, program = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    sys.argv = sys.argv[3:]
    if fast:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=fast)).start()
    # To this very thread: what is sent to the process stops it once another thread is awake, which may be much later.
    faults.listen(Watch(fuse, lambda deed: signal.pthread_kill(threading.get_ident(), deed)).reached)
    django.setup()
    # Named late, because it needs models.
    import_string("tests.services.fire.hurry.hurry")()
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
