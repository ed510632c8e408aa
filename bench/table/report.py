"""Prints the table. README.md beside this folder says how to read it."""

import os
import sys
from collections.abc import Sequence
from statistics import median

from bench.measuring import cpu_ticks, noise
from bench.table import accepting, codes, growth, memory, sending
from bench.table.alternating import ROUNDS, Row
from bench.table.stage import stage
from tests.servers import ServerMissing

#: The parts of the table in their order; `ROWS="accept send"` measures these only.
PARTS = {"accept": accepting.rows, "send": sending.rows, "code": codes.rows, "growth": growth.rows}
MEMORY = "memory"
HEADING = f"{'':72}{'ours':>10}{'other':>10}{'ratio':>8}{'wanted':>9}{'':>7}{'spread':>8}"


def report() -> None:
    """Measures and prints; ends the program with an error where a figure is short of what is wanted."""
    wanted = os.environ.get("ROWS", "").split() or [*PARTS, MEMORY]
    if unknown := set(wanted) - {*PARTS, MEMORY}:
        sys.exit(f"There are no rows {', '.join(sorted(unknown))}. There are {', '.join([*PARTS, MEMORY])}.")
    before = cpu_ticks()
    try:
        rows, sizes = _measured(wanted)
    except ServerMissing as why:
        sys.exit(str(why))
    print(f"\nOurs | what it is measured against; medians of {ROUNDS} rounds\n{HEADING}")
    for row in rows:
        print(_line(row))
    if sizes:
        print(f"\n{'Memory, MB':10}{'idle':>10}{'at the most':>18}", *sizes, sep="\n")
    print(f"\n{noise(before)}", flush=True)
    if not all(row.holds for row in rows):
        sys.exit("A figure is short of what is wanted.")


def _measured(wanted: list[str]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    with stage() as here:
        house = here.house("new", 2)
        sizes = memory.lines(house) if MEMORY in wanted else []
        for name, measure in PARTS.items():
            if name in wanted:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                rows += measure(here, house)
    return rows, sizes


def _line(row: Row) -> str:
    sign = "<=" if row.at_most else ">="
    return (
        f"{row.name:72}{_short(row.ours):>10}{_short(row.other):>10}{row.ratio:8.2f}{f'{sign} {row.bound:g}':>9}"
        f"{'ok' if row.holds else 'SHORT':>7}{row.spread:8.0%}"
    )


def _short(figures: Sequence[float]) -> str:
    found = median(figures)
    return f"{found:,.{found < 100:d}f}"
