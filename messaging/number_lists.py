"""Phones out of what people paste or export: typed lists, and CSV files as spreadsheets write them. Pure functions."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from messaging import phones
from portal.errors import Refusal

#: A file larger than this is no list of phones.
LARGEST_FILE = 4 * 1024 * 1024
#: More rows are not looked at: to read a phone takes its time, and no batch holds so many.
MOST_ROWS = 20_000
#: How many rows decide which column has the phones.
LOOKED_AT = 50
DELIMITERS = ";\t,"
HEADINGS = re.compile(r"(?i)phone|mobile|tel|телефон|мобильн|номер|сотов")


@dataclass
class Found:
    """Phones in E.164, each once, in their order; what is wrong, by line; and those that were there again."""

    phones: list[str] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)

    def add(self, phone: str) -> None:
        """Keeps it once."""
        if phone not in self._known:
            self._known.add(phone)
            self.phones.append(phone)
        elif phone not in self._repeated:
            self._repeated.add(phone)
            self.duplicates.append(phone)

    def __post_init__(self) -> None:
        self._known, self._repeated = set(self.phones), set(self.duplicates)


def typed(text: str) -> Found:
    """One phone per line, or several with commas or semicolons between them. Raises Refusal (field `phone`)."""
    parts = [(line, part) for line, row in enumerate(text.splitlines(), 1) for part in re.split("[,;]", row)]
    _check_count(len(parts), "phone")
    return _read(parts)


def uploaded(raw: bytes) -> Found:
    """The column of a CSV that has phones. Raises Refusal (field `file`) where there is none."""
    if len(raw) > LARGEST_FILE:
        raise Refusal(_("This file is larger than 4 MB; send it in parts."), field="file")
    rows = _rows(decoded(raw))
    _check_count(len(rows), "file")
    column = _column_of_phones(rows)
    cells = [(line, row[column] if column < len(row) else "") for line, row in rows]
    if cells and not re.search("[0-9]", cells[0][1]):
        # The headings.
        del cells[0]
    found = _read(cells, all_of_them=True)
    if not found.phones and not found.errors:
        raise Refusal(_("There is no phone in this file."), field="file")
    return found


def _check_count(count: int, field: str) -> None:
    if count > MOST_ROWS:
        sentence = _("These are %(count)s rows and at most %(most)s are read; send it in parts.")
        raise Refusal(sentence % {"count": count, "most": MOST_ROWS}, field=field)


def decoded(raw: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 where it says so, else the Windows code page of Russian spreadsheets."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1251", errors="replace")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows with the number of their line, without empty ones."""
    head = text[:20_000]
    delimiter = max(DELIMITERS, key=head.count)
    try:
        reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        sentence = _("This file is no CSV: %(reason)s.") % {"reason": error}
        raise Refusal(sentence, field="file") from None


def _column_of_phones(rows: Sequence[tuple[int, list[str]]]) -> int:
    """The one with the most phones; where two have as many, the one whose heading says so, then the first."""
    if not rows:
        raise Refusal(_("This file is empty."), field="file")
    some = [row for _line, row in rows[:LOOKED_AT]]
    headings = rows[0][1]

    def weight(column: int) -> tuple[int, bool, int]:
        hits = sum(_is_phone(row[column]) for row in some if column < len(row))
        named = column < len(headings) and bool(HEADINGS.search(headings[column]))
        return hits, named, -column

    best = max(range(max(map(len, some))), key=weight)
    if weight(best)[:2] == (0, False):
        raise Refusal(_("No column of this file has phones; write them like +79161234567."), field="file")
    return best


def _is_phone(cell: str) -> bool:
    try:
        phones.normalise(cell)
    except Refusal:
        return False
    return True


def _read(cells: Iterable[tuple[int, str]], *, all_of_them: bool = False) -> Found:
    """What the cells hold. An empty one is an error only in a file, where its row was meant for somebody."""
    found = Found()
    for line, cell in cells:
        if not cell.strip() and not all_of_them:
            continue
        try:
            found.add(phones.normalise(cell))
        except Refusal as refusal:
            found.errors.setdefault(line, refusal.sentence)
    return found
