"""Rounds, medians and doubt: rows are measured in turn, so that a bad moment of the machine meets all of them."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROUNDS = 5


@dataclass
class Way:
    """One way of doing something: `run` does `things` of it, `runs` times a round; `before` each run is not counted."""

    name: str
    run: Callable[[], object]
    things: int = 1
    runs: int = 1
    before: Callable[[], object] = lambda: None
    #: One figure for each round: things per second, and milliseconds of this process's CPU for each.
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """One round."""
        took = cpu = 0.0
        for _ in range(self.runs):
            self.before()
            started, cpu_before = time.perf_counter(), time.process_time()
            self.run()
            took += time.perf_counter() - started
            cpu += time.process_time() - cpu_before
        self.rates.append(self.things * self.runs / took)
        self.cpu_ms.append(1000 * cpu / (self.things * self.runs))


def compare(title: str, unit: str, ways: list[Way]) -> None:
    """Measures every way once a round and prints a table; the last column compares with the first way."""
    print(f"{title}\n  {'':46}{unit:>12}{'spread':>8}{'CPU ms each':>13}{'ratio':>8}")
    for round_ in range(ROUNDS + 1):
        for way in ways:
            way.measure()
            if round_ == 0:  # for warming up
                way.rates.clear()
                way.cpu_ms.clear()
    for way in ways:
        rate = median(way.rates)
        spread, ratio = (max(way.rates) - min(way.rates)) / rate, rate / median(ways[0].rates)
        print(f"  {way.name:46}{rate:12,.0f}{spread:8.0%}{median(way.cpu_ms):13.2f}{ratio:8.2f}", flush=True)
    print()


def cpu_ticks() -> list[int]:
    """user, nice, system, idle, iowait, irq, softirq, steal since boot; zeros where the system does not tell."""
    stat = Path("/proc/stat")
    return [int(ticks) for ticks in stat.read_text().split()[1:9]] if stat.exists() else [0] * 8


def noise(before: list[int]) -> str:
    """A sentence on how much of the machine others took since `before`."""
    passed = [now - then for now, then in zip(cpu_ticks(), before, strict=True)]
    taken = f"{passed[7] / sum(passed):.0%}" if any(passed) else "an unknown part"
    return (
        f"Noise: {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {taken} of the CPU time taken by other machines "
        "on this host.\nCompare rows of one block of one run; single figures mean little."
    )
