"""Rounds, medians and doubt: rows are measured in turn, so that a bad moment of the machine meets all of them."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.load import Rates

ROUNDS = 5


@dataclass
class Way:
    """One way of doing something: `run` does `things` of it, `runs` times a round; `before` each run is not counted."""

    name: str
    run: Callable[[], object]
    things: int = 1
    runs: int = 1
    before: Callable[[], object] = lambda: None
    #: The seconds of CPU so far of whoever does the work: this process, unless a server does it.
    cpu: Callable[[], float] = time.process_time
    #: One figure for each round: things per second, milliseconds of CPU for each, and where guests came, their load.
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    loads: list[Rates] = field(default_factory=list)

    def measure(self) -> None:
        """One round."""
        took = cpu = 0.0
        for _ in range(self.runs):
            self.before()
            started, cpu_before = time.perf_counter(), self.cpu()
            done = self.run()
            took += time.perf_counter() - started
            cpu += self.cpu() - cpu_before
            if isinstance(done, Rates):
                self.loads.append(done)
        self.rates.append(self.things * self.runs / took)
        self.cpu_ms.append(1000 * cpu / (self.things * self.runs))

    def forget(self) -> None:
        """The rounds so far were for warming up."""
        for figures in (self.rates, self.cpu_ms, self.loads):
            figures.clear()


def compare(title: str, unit: str, ways: list[Way]) -> None:
    """Measures every way once a round and prints a table; the last column compares with the first way."""
    for round_ in range(ROUNDS + 1):
        for way in ways:
            way.measure()
            if round_ == 0:
                way.forget()
    p95 = f"{'p95 ms':>9}" if ways[0].loads else ""
    print(f"{title}\n  {'':46}{unit:>12}{'spread':>8}{'CPU ms each':>13}{p95}{'ratio':>8}")
    for way in ways:
        print(_row(way, median(ways[0].rates)), flush=True)
    print()


def _row(way: Way, compared_with: float) -> str:
    rate = median(way.rates)
    spread, ratio = (max(way.rates) - min(way.rates)) / rate, rate / compared_with
    p95 = f"{1000 * median(load.p95 for load in way.loads):9,.0f}" if way.loads else ""
    return f"  {way.name:46}{rate:12,.{rate < 100:d}f}{spread:8.0%}{median(way.cpu_ms):13.2f}{p95}{ratio:8.2f}"


def steps(way: Way) -> str:
    """A line on each step that the way's guests took: the median of the rounds' p95."""
    return "  p95 ms of each step: " + ", ".join(
        f"{name} {1000 * median(load.of_step(name) for load in way.loads):,.0f}" for name in way.loads[0].steps
    )


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of CPU that these processes have used; 0 where the system does not tell."""
    tick = os.sysconf("SC_CLK_TCK")
    stats = [Path(f"/proc/{pid}/stat") for pid in pids]
    # After the name in brackets, which may hold anything: user and system time are the 12th and 13th.
    read = [stat.read_text().rpartition(")")[2].split() for stat in stats if stat.exists()]
    return sum(int(fields[11]) + int(fields[12]) for fields in read) / tick


class Noise:
    """How busy the machine was before, and how much of it others have taken since."""

    def __init__(self) -> None:
        self.load = os.getloadavg()[0]
        self._ticks = _cpu_ticks()

    def taken(self) -> str:
        """The share of CPU time that other machines on this host had, as a part of a sentence."""
        passed = [now - then for now, then in zip(_cpu_ticks(), self._ticks, strict=True)]
        share = f"{passed[7] / sum(passed):.0%}" if any(passed) else "an unknown part"
        return f"{share} of the CPU time taken by other machines on this host"

    def summary(self) -> str:
        """What is said at the end of a run."""
        return (
            f"Noise: {os.cpu_count()} CPUs, load {self.load:.1f} before it began, {self.taken()}.\n"
            "Compare rows of one block of one run; single figures mean little."
        )


def _cpu_ticks() -> list[int]:
    """user, nice, system, idle, iowait, irq, softirq, steal since boot; zeros where the system does not tell."""
    stat = Path("/proc/stat")
    return [int(ticks) for ticks in stat.read_text().split()[1:9]] if stat.exists() else [0] * 8
