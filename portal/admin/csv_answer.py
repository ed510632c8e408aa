"""A CSV file as an answer, written while its rows are read."""

from collections.abc import Iterable, Sequence
from itertools import chain

from django.http import StreamingHttpResponse
from django.utils import timezone

from portal import csv_cells


def csv_answer(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ","
) -> StreamingHttpResponse:
    """A file to be saved, whose name gets today's date.

    Rows that are read late are read after the reader's language and time zone are gone: settle both beforehand.
    """
    file_name = f"{name}-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        csv_cells.written(chain([headings], rows), delimiter),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
