"""The steps of an import: begun, columns named, tried, mended, imported, credentials sent.

Each takes up where the one before it was left, on whatever machine; each can be asked for twice and is done once.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypedDict, Unpack

import tablib
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from guests import credentials
from guests.importing import columns, files
from guests.importing.rows import GuestResource, made_up, outcome, username_of
from guests.models import GuestImport, GuestImportRow, GuestType, Outlook, Sending
from portal.errors import Refusal
from portal.models import User

#: So many rows are one transaction: others get at the database in between.
CHUNK = 50
KEPT_FOR = timedelta(days=1)
GOOD = (Outlook.NEW, Outlook.UPDATED, Outlook.SKIPPED)


class Wishes(TypedDict):
    """What is to be done with the file."""

    guest_type: GuestType | None
    existing: str
    sends: bool
    gateway_name: str


class Counts(NamedTuple):
    """How many rows: by outlook those that wait and those that are done, and by what became of their credentials."""

    waiting: dict[str, int]
    done: dict[str, int]
    sending: dict[str, int]

    @property
    def good(self) -> int:
        """Rows that would be imported now."""
        return sum(self.waiting.get(outlook, 0) for outlook in GOOD)


def start(content: bytes, *, by: User, **wishes: Unpack[Wishes]) -> GuestImport:
    """Takes a file in and guesses its columns; nothing is imported. Raises Refusal (field `file`)."""
    # A type checker takes encrypted JSON for text.
    sheet: Any = files.read(content)
    with transaction.atomic():
        found = GuestImport.objects.create(by=by, header=sheet.header, mapping=columns.guess(sheet.header), **wishes)
        rows = [GuestImportRow(guest_import=found, number=number, cells=cells) for number, cells in sheet.rows]
        GuestImportRow.objects.bulk_create(rows, batch_size=CHUNK)
    return found


def map_columns(found: GuestImport, mapping: Mapping[str, int]) -> None:
    """Says which column is what, and tries all rows. Raises Refusal."""
    columns.check(mapping, found.header)
    found.mapping = dict(mapping)
    found.save(update_fields=["mapping"])
    check(found)


def check(found: GuestImport) -> None:
    """Tries every row that is not imported yet, by all checks there are, and leaves nothing but the findings."""
    found.rows.filter(done=False).update(outlook=Outlook.UNCHECKED)
    waiting = list(found.rows.filter(done=False))
    faults = _beforehand(found, waiting)
    for row in waiting:
        row.outlook, row.faults = Outlook.FAULTY, faults.get(row.pk, [])
    sound = [row for row in waiting if row.pk not in faults]
    for start_at in range(0, len(sound), CHUNK):
        _try(found, sound[start_at : start_at + CHUNK], dry_run=True)
    GuestImportRow.objects.bulk_update(waiting, ["outlook", "faults"], batch_size=CHUNK)


def mend(found: GuestImport, mended: Mapping[int, Mapping[str, str]]) -> None:
    """Writes other values into faulty rows, by the row's number and the field, and tries all rows again."""
    for row in found.rows.filter(done=False, number__in=mended):
        # Cells beyond the headings belong to nothing.
        cells = (row.cells + [""] * len(found.header))[: len(found.header)]
        for field, value in mended[row.number].items():
            cells[found.mapping[field]] = value.strip()
        GuestImportRow.objects.filter(pk=row.pk, done=False).update(cells=cells)
    check(found)


def run(found: GuestImport) -> None:
    """Imports the rows that were found good, each once. What is refused after all is faulty from now on."""
    while _import_next(found):
        pass


@transaction.atomic
def _import_next(found: GuestImport) -> bool:
    # Whoever asks for the same at the same time waits here, and finds these rows done.
    locked(found)
    rows = list(found.rows.filter(done=False, outlook__in=GOOD)[:CHUNK])
    _try(found, rows, dry_run=False)
    for row in rows:
        row.done = row.outlook != Outlook.FAULTY
        if row.done:
            row.cells = []
    GuestImportRow.objects.bulk_update(rows, ["outlook", "faults", "done", "cells", "guest"])
    return bool(rows)


def send_credentials(found: GuestImport, *, by: User) -> None:
    """New passwords to everybody who was imported and has none from this import yet. Raises Refusal (no gateway)."""
    while rows := _next_to_send(found):
        try:
            sent = credentials.renew_many([row.guest for row in rows], gateway_name=found.gateway_name, by=by)
        except Refusal:
            found.rows.filter(pk__in=[row.pk for row in rows]).update(sending=Sending.NO)
            raise
        GuestImport.objects.filter(pk=found.pk).update(batch=sent.batch)
        for row, made in zip(rows, sent.outcomes, strict=True):
            row.sending, row.refused = (Sending.REFUSED if made.refused else Sending.ACCEPTED), made.refused
        GuestImportRow.objects.bulk_update(rows, ["sending", "refused"], batch_size=CHUNK)


@transaction.atomic
def _next_to_send(found: GuestImport) -> list[Any]:
    """Marked before anything is sent: a second request, or one after a failure, sends nobody a second password."""
    locked(found)
    rows = list(to_send(found).select_related("guest__guest_type")[: credentials.MOST_AT_ONCE])
    found.rows.filter(pk__in=[row.pk for row in rows]).update(sending=Sending.ASKED)
    return rows


def to_send(found: GuestImport) -> Any:
    """Rows whose guests have been imported and were sent nothing."""
    imported = found.rows.filter(done=True, outlook__in=(Outlook.NEW, Outlook.UPDATED), sending=Sending.NO)
    return imported.filter(guest__isnull=False)


def counts(found: GuestImport) -> Counts:
    """What the pages say of the import."""
    shown = found.rows.order_by().values("done", "outlook", "sending").annotate(many=Count("pk"))
    made = Counts({}, {}, {})
    for row in shown:
        by_outlook = made.done if row["done"] else made.waiting
        by_outlook[row["outlook"]] = by_outlook.get(row["outlook"], 0) + row["many"]
        made.sending[row["sending"]] = made.sending.get(row["sending"], 0) + row["many"]
    return made


def locked(found: GuestImport) -> GuestImport:
    """Locked until the transaction ends. Raises Refusal where the import was thrown away."""
    current = GuestImport.objects.select_for_update().filter(pk=found.pk).first()
    if current is None:
        raise Refusal(_("This import was thrown away in the meantime; begin anew."))
    return current


def forget_old_imports() -> int:
    """Housekeeping: imports that nobody finished in a day."""
    old = GuestImport.objects.filter(created__lt=timezone.now() - KEPT_FOR)
    many = old.count()
    if many:
        old.delete()
    return many


def values_of(found: GuestImport, row: GuestImportRow) -> dict[str, str]:
    """What a row says of each field that has a column."""
    return {
        field: row.cells[index] if index < len(row.cells) else ""
        for field, index in sorted(found.mapping.items(), key=lambda item: columns.FIELDS.index(item[0]))
    }


def _beforehand(found: GuestImport, waiting: Sequence[GuestImportRow]) -> dict[int, list[tuple[str, str]]]:
    """What can be seen without trying: cells without a heading, and user names that stand in the file twice."""
    imported = found.rows.filter(done=True, guest__isnull=False).values_list("guest__username", "number")
    first: dict[str, int] = dict(imported)
    field = "username" if "username" in found.mapping else "phone"
    faults: dict[int, list[tuple[str, str]]] = {}
    for row in waiting:
        name = username_of(values_of(found, row))
        if any(row.cells[len(found.header) :]):
            faults[row.pk] = [("", _("This row has more cells than there are headings."))]
        elif name in first:
            sentence = _("Rows %(first)s and %(second)s have the same user name, %(name)s.")
            faults[row.pk] = [(field, sentence % {"first": first[name], "second": row.number, "name": name})]
        elif name:
            first[name] = row.number
    return faults


def _try(found: GuestImport, rows: Sequence[GuestImportRow], *, dry_run: bool) -> None:
    """Imports these rows, or does as if; each row says what became of it."""
    if not rows:
        return
    dataset = tablib.Dataset(headers=list({"username": 0} | values_of(found, rows[0])))
    for row in rows:
        values = values_of(found, row)
        dataset.append([*({"username": username_of(values) or made_up()} | _without_name(values)).values()])
    result = GuestResource(found).import_data(dataset, dry_run=dry_run, use_transactions=True)
    for error in result.base_errors:
        raise error.error
    for row, became in zip(rows, result.rows, strict=True):
        outlook, row.faults = outcome(became)
        row.outlook = outlook
        if not dry_run and outlook != Outlook.FAULTY:
            row.guest_id = became.object_id


def _without_name(values: Mapping[str, str]) -> dict[str, str]:
    return {field: value for field, value in values.items() if field != "username"}
