"""Memory of web, worker and beat: idle, and the most of it while batches and calls come in and all of it is sent."""

import threading
import time
from pathlib import Path

from bench.table.accepting import one_a_call, thousand_a_call
from bench.table.stage import House

PROGRAMS = {"web": ("gunicorn",), "worker": ("celery", "worker"), "beat": ("celery", "--pidfile=")}
GLANCE = 0.2


def lines(house: House) -> list[str]:
    """One line for each program; shared pages count by their share (PSS)."""
    time.sleep(2)
    idle = _now(house)
    busiest = dict(idle)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(GLANCE):
            for name, size in _now(house).items():
                busiest[name] = max(busiest[name], size)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        # The web is at its largest with batches, the worker with the queue that they leave.
        thousand_a_call(house)
        one_a_call(house)
        house.drained()
        house.forget()
    finally:
        over.set()
        watching.join()
    idle["all"], busiest["all"] = sum(idle.values()), sum(busiest.values())
    return [f"{name:10}{idle[name]:10,.0f}{busiest[name]:18,.0f}" for name in idle]


def _now(house: House) -> dict[str, float]:
    """Megabytes of each program."""
    return {name: sum(map(_megabytes, house.processes(*words))) for name, words in PROGRAMS.items()}


def _megabytes(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
