"""Prints the table. README.md beside this folder says how to read it."""

import os
import sys
from collections.abc import Collection, Sequence
from statistics import median

from bench.measuring import Noise
from bench.table import accepting, codes, growth, memory, sending, ways
from bench.table.alternating import ROUNDS, Row
from bench.table.stage import House, Stage, stage
from tests.servers import ServerMissing

#: The parts of the table in their order; `ROWS="accept send"` measures these only.
PARTS = {
    "accept": accepting.rows,
    "ways": ways.rows,
    "send": sending.rows,
    "code": codes.rows,
    "growth": growth.rows,
}
MEMORY = "memory"
HEADING = f"{'':72}{'ours':>10}{'other':>10}{'ratio':>8}{'wanted':>9}{'':>7}{'spread':>8}"


def report() -> None:
    """Measures and prints, part by part; ends the program with an error where a figure is short of what is wanted."""
    wanted = os.environ.get("ROWS", "").split() or [*PARTS, MEMORY]
    if unknown := set(wanted) - {*PARTS, MEMORY}:
        sys.exit(f"There are no rows {', '.join(sorted(unknown))}. There are {', '.join([*PARTS, MEMORY])}.")
    noise = Noise()
    print(f"\nOurs | what it is measured against; medians of {ROUNDS} rounds\n{HEADING}", flush=True)
    try:
        all_hold = _measure(wanted)
    except ServerMissing as why:
        sys.exit(str(why))
    print(f"\n{noise.summary()}", flush=True)
    if not all_hold:
        sys.exit("A figure is short of what is wanted.")


def _measure(wanted: Collection[str]) -> bool:
    """Prints the rows of each part once they are measured; whether all are as wanted."""
    all_hold = True
    with stage() as here:
        house = here.house("new", 2)
        sizes = memory.lines(house) if MEMORY in wanted else []
        for name in [part for part in PARTS if part in wanted]:
            all_hold &= _part(here, house, name)
    if sizes:
        print(f"\n{'Memory, MB':10}{'idle':>10}{'at the most':>18}", *sizes, sep="\n")
    return all_hold


def _part(here: Stage, house: House, name: str) -> bool:
    """The rows of one part, and the noise while they were measured."""
    noise = Noise()
    rows = PARTS[name](here, house)
    print(*map(_line, rows), f"  {name}: {noise.taken()}", sep="\n", flush=True)
    return all(row.holds for row in rows)


def _line(row: Row) -> str:
    figures = f"{row.name:72}{_short(row.ours):>10}{_short(row.other):>10}{row.ratio:8.2f}"
    return f"{figures}{_wanted(row):>9}{_verdict(row):>7}{row.spread:8.0%}"


def _wanted(row: Row) -> str:
    return "" if row.bound is None else f"{'<=' if row.at_most else '>='} {row.bound:g}"


def _verdict(row: Row) -> str:
    return "" if row.bound is None else "ok" if row.holds else "SHORT"


def _short(figures: Sequence[float]) -> str:
    found = median(figures)
    return f"{found:,.{found < 100:d}f}"
