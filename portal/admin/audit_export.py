"""Audit events as a CSV file, written while they are read."""

import csv
import json
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst

from portal.models import AuditEvent

COLUMNS = ("at", "user_name", "address", "action", "object_id", "method", "path", "status", "changes", "request")
#: A spreadsheet takes a cell that begins so for a formula, and runs it.
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
AT_ONCE = 1000
#: By it spreadsheets know that the file is UTF-8.
MARK = "\ufeff"


class _Line:
    """What the csv module writes to: the line is handed back and not kept."""

    def write(self, line: str) -> str:
        return line


def answer(events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
    """The events as a file to be saved."""
    headings = [capfirst(str(AuditEvent._meta.get_field(name).verbose_name)) for name in COLUMNS]  # type: ignore[union-attr]
    lines = _lines(headings, events, timezone.get_current_timezone())
    name = f"audit-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(headings: list[str], events: QuerySet[AuditEvent], zone: tzinfo) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield MARK + writer.writerow(headings)
    for event in events.iterator(AT_ONCE):
        yield writer.writerow([harmless(_cell(getattr(event, name), zone)) for name in COLUMNS])


def _cell(value: Any, zone: tzinfo) -> str:
    if hasattr(value, "astimezone"):
        return str(value.astimezone(zone).isoformat(timespec="seconds"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def harmless(cell: str) -> str:
    """The cell so that a spreadsheet shows it and does not run it."""
    return f"'{cell}" if cell.startswith(BEGINS_A_FORMULA) else cell
