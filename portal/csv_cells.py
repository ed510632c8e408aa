"""Cells of CSV files: a formula is defused on the way out, and read as it was meant on the way in."""

import csv
from collections.abc import Iterable, Iterator

#: A spreadsheet takes a cell that begins so for a formula, and runs it.
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: By it spreadsheets know that the file is UTF-8.
MARK = "\ufeff"


class _Line:
    """What the csv module writes to: the line is handed back and not kept."""

    def write(self, line: str) -> str:
        return line


def written(rows: Iterable[Iterable[str]], delimiter: str = ",") -> Iterator[str]:
    """The lines of a file, one by one."""
    writer = csv.writer(_Line(), delimiter=delimiter)
    yield MARK
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: str) -> str:
    """The cell so that a spreadsheet shows it and does not run it."""
    return f"'{cell}" if cell.startswith(BEGINS_A_FORMULA) else cell


def as_meant(cell: str) -> str:
    """The cell as it was before `harmless`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(BEGINS_A_FORMULA) else cell
