"""Reading a CSV file in whatever way a spreadsheet wrote it, and the sample to begin with."""

import csv
import io
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from guests.importing import columns
from portal import csv_cells
from portal.errors import Refusal

#: Bytes and rows.
LARGEST = 2 * 1024 * 1024
MOST_ROWS = 2000
MOST_COLUMNS = 50
#: Where two fit equally well, the first.
DELIMITERS = (";", ",", "\t")
ENCODINGS = ("utf-8-sig", "cp1251")

SAMPLE_STAY = timedelta(days=7)
SAMPLE = {
    "ru": ("ivan.petrov", "+79161234567", "Иван", "Петров", "ivan@example.org", "Ромашка", "Переговорная 3", "ru"),
    "en": ("jane.smith", "+447400123456", "Jane", "Smith", "jane@example.org", "Acme", "Meeting room 3", "en"),
}


class Sheet(NamedTuple):
    """What stood in a file: its headings, and the rows that are not empty, each under its number."""

    header: list[str]
    rows: list[tuple[int, list[str]]]


def read(content: bytes) -> Sheet:
    """What stands in the file. Raises Refusal (field `file`)."""
    if len(content) > LARGEST:
        raise _refusal(_("The file is larger than 2 MiB; split it."))
    text = _text(content)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    except csv.Error:
        raise _refusal(_("The file cannot be read: a quotation mark is not closed, or stands inside a cell.")) from None
    return _sheet([[csv_cells.as_meant(cell.strip()) for cell in record] for record in records])


def _text(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refusal(_("This is no CSV file in UTF-8 or Windows-1251; save it as CSV and choose it again."))


def _delimiter(text: str) -> str:
    """The one that makes the most of the headings."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader(io.StringIO(text), delimiter=delimiter), [])))


def _sheet(records: list[list[str]]) -> Sheet:
    rows = [(number, record) for number, record in enumerate(records[1:], 2) if any(record)]
    if not rows:
        raise _refusal(_("There is nothing to import: the first row has the headings, guests follow below."))
    if len(rows) > MOST_ROWS:
        sentence = _("The file has %(many)s rows, and %(most)s are the most; split it.")
        raise _refusal(sentence % {"many": len(rows), "most": MOST_ROWS})
    if len(records[0]) > MOST_COLUMNS:
        raise _refusal(_("The file has more than %(most)s columns.") % {"most": MOST_COLUMNS})
    return Sheet(records[0], rows)


def _refusal(sentence: str) -> Refusal:
    return Refusal(sentence, field="file")


def sample() -> Sheet:
    """Headings in the reader's language, and a guest for each language of the portal."""
    begins, ends = timezone.localdate(), timezone.localdate() + SAMPLE_STAY
    days = (begins.isoformat(), ends.isoformat())
    guests = [[*SAMPLE[language], *days, "", ""] for language, _name in settings.LANGUAGES]
    return Sheet([columns.label(field) for field in columns.FIELDS], list(enumerate(guests, 2)))


def sample_delimiter() -> str:
    """What spreadsheets expect where this language is spoken."""
    return ";" if translation.get_language() == "ru" else ","
