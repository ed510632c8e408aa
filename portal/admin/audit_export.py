"""Audit events as a CSV file, written while they are read."""

import json
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst

from portal.admin.csv_answer import csv_answer
from portal.models import AuditEvent

COLUMNS = ("at", "user_name", "address", "action", "object_id", "method", "path", "status", "changes", "request")
AT_ONCE = 1000


def answer(events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
    """The events as a file to be saved."""
    headings = [capfirst(str(AuditEvent._meta.get_field(name).verbose_name)) for name in COLUMNS]  # type: ignore[union-attr]
    return csv_answer("audit", headings, _rows(events, timezone.get_current_timezone()))


def _rows(events: QuerySet[AuditEvent], zone: tzinfo) -> Iterator[list[str]]:
    for event in events.iterator(AT_ONCE):
        yield [_cell(getattr(event, name), zone) for name in COLUMNS]


def _cell(value: Any, zone: tzinfo) -> str:
    if hasattr(value, "astimezone"):
        return str(value.astimezone(zone).isoformat(timespec="seconds"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)
