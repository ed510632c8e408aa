"""Guests from a CSV file: the pages of an import's steps. What they do is in `guests.importing`."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from guests.admin.import_forms import CHANGING, ColumnsForm, ImportForm
from guests.importing import columns, files, steps
from guests.models import Existing, GuestImport, Outlook, Sending
from portal.admin.csv_answer import csv_answer
from portal.admin.rights import RightsAdmin, caller, demand
from portal.errors import Refusal
from portal.permissions import SENDING, Right, may
from portal.sign_in import confirming

#: So many faulty rows are mended at a time, and so many of the first rows are shown.
MENDED_AT_ONCE = 50
FIRST_ROWS = 3
#: A form's fields that begin so are not written to the audit trail: they are what the file says of people.
CELL = "_cell"


class ImportPages(RightsAdmin):
    """Adds the import to the pages of guests."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponseBase]] = {
            "": self.import_file,
            "sample/": self.import_sample,
            "<int:pk>/columns/": self.import_columns,
            "<int:pk>/check/": self.import_check,
            "<int:pk>/faulty/": self.import_faulty,
            "<int:pk>/report/": self.import_report,
            "<int:pk>/drop/": self.import_drop,
        }
        own = [
            path(f"import/{route}", self.admin_site.admin_view(never_cache(view)), name=f"guests_guest_{view.__name__}")
            for route, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """The file, and what is to be done with it."""
        demand(request, Right.USERS_CREATE)
        by = caller(request)
        form = ImportForm(by, request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                found = steps.start(form.cleaned_data["file"].read(files.LARGEST + 1), by=by, **_wishes(form))
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.sentence)
            else:
                self.note(request, "upload", 201, found, {"rows": found.rows.count(), "existing": found.existing})
                return _to("columns", found)
        unfinished = GuestImport.objects.filter(by=by).order_by("-created")
        return self._page(request, "import_file", gettext("Import guests"), form=form, unfinished=unfinished)

    def import_sample(self, request: HttpRequest) -> HttpResponseBase:
        """A file to begin with."""
        demand(request, Right.USERS_CREATE)
        sample = files.sample()
        rows = [cells for _number, cells in sample.rows]
        return csv_answer("guests-sample", sample.header, rows, files.sample_delimiter())

    def import_columns(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Which column is what; then all rows are tried."""
        found = self._found(request, pk)
        form = ColumnsForm(found, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                steps.map_columns(found, form.mapping)
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.sentence)
            else:
                self._note_counts(request, "check", found)
                return _to("check", found)
        first = [row.cells for row in found.rows.filter(done=False)[:FIRST_ROWS]]
        return self._page(
            request, "import_columns", gettext("Which column is what"), found=found, form=form, first=first
        )

    def import_check(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What would become of the rows; faulty ones are mended here, good ones imported from here."""
        found = self._found(request, pk)
        goes = "go" in request.POST
        if goes and found.sends:
            demand(request, *SENDING)
        if question := self._ask_who(request, asks=goes and found.sends):
            return question
        # What was carried over the question is in its place again only now.
        goes = "go" in request.POST
        if request.method != "POST":
            return self._check_page(request, found)
        self._mend(request, found, again=not goes)
        return self._import(request, found) if goes else _to("check", found)

    def import_faulty(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The faulty rows as a file, each with what is wrong with it."""
        found = self._found(request, pk)
        # The heading `error` is read by no import, so that the file can come back as it is.
        headings = [*found.header, "error"]
        return csv_answer("guests-faulty", headings, list(_faulty_rows(found)), files.sample_delimiter())

    def import_report(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What was imported and sent; sends what was not sent yet."""
        found = self._found(request, pk)
        if request.method == "POST":
            demand(request, *SENDING)
            question = self._ask_who(request, asks=True)
            return question or self._send(request, found)
        refused = found.rows.filter(sending=Sending.REFUSED).select_related("guest")
        counts = steps.counts(found)
        return self._page(
            request,
            "import_report",
            gettext("Imported guests"),
            found=found,
            counts=_shown(counts),
            faulty=counts.waiting.get(Outlook.FAULTY, 0),
            accepted=counts.sending.get(Sending.ACCEPTED, 0),
            unclear=counts.sending.get(Sending.ASKED, 0),
            refused=[(row.guest, row.refused) for row in refused],
            unsent=steps.to_send(found).count(),
            may_send=may(request.user, *SENDING),
            may_see=self.has_view_permission(request),
            may_watch=may(request.user, Right.MESSAGES_READ),
        )

    def import_drop(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throws the file away; guests who were imported stay."""
        found = self._found(request, pk)
        if request.method == "POST":
            self._note_counts(request, "drop", found)
            found.delete()
        return HttpResponseRedirect(reverse("admin:guests_guest_changelist"))

    def _check_page(self, request: HttpRequest, found: GuestImport) -> HttpResponse:
        counts = steps.counts(found)
        faulty = found.rows.filter(outlook=Outlook.FAULTY, done=False)
        context = {
            "found": found,
            "counts": _shown(counts),
            "good": counts.good,
            "rows": [_mendable(found, row) for row in faulty[:MENDED_AT_ONCE]],
            "more": max(counts.waiting.get(Outlook.FAULTY, 0) - MENDED_AT_ONCE, 0),
            "unchecked": counts.waiting.get(Outlook.UNCHECKED, 0),
            "any_done": bool(counts.done),
        }
        return self._page(request, "import_check", gettext("Check before importing"), **context)

    def _mend(self, request: HttpRequest, found: GuestImport, *, again: bool) -> None:
        """Takes over what was written into faulty rows; they are tried anew where that is asked for or they changed."""
        mended: dict[int, dict[str, str]] = defaultdict(dict)
        for name, value in request.POST.items():
            prefix, _dash, rest = name.partition("-")
            number, _dash, field = rest.partition("-")
            if prefix == CELL and number.isdecimal() and field in found.mapping:
                mended[int(number)][field] = str(value)
        rows = found.rows.filter(number__in=mended, done=False)
        changed = any(steps.values_of(found, row) | mended[row.number] != steps.values_of(found, row) for row in rows)
        if changed or again:
            steps.mend(found, mended)
            self._note_counts(request, "check", found)

    def _import(self, request: HttpRequest, found: GuestImport) -> HttpResponse:
        steps.run(found)
        self._note_counts(request, "run", found)
        return self._send(request, found) if found.sends else _to("report", found)

    def _send(self, request: HttpRequest, found: GuestImport) -> HttpResponse:
        try:
            steps.send_credentials(found, by=caller(request))
        except Refusal as refusal:
            self.message_user(request, refusal.sentence, "ERROR")
        sending = steps.counts(found).sending
        accepted, refused = sending.get(Sending.ACCEPTED, 0), sending.get(Sending.REFUSED, 0)
        self.note(request, "send_imported", 200, found, {"accepted": accepted, "refused": refused})
        return _to("report", found)

    def _found(self, request: HttpRequest, pk: int) -> GuestImport:
        """The user's own import."""
        demand(request, Right.USERS_CREATE)
        found = GuestImport.objects.select_related("guest_type", "by").filter(pk=pk, by=caller(request)).first()
        if found is None:
            raise Http404
        if found.existing == Existing.UPDATE:
            demand(request, *CHANGING)
        return found

    def _ask_who(self, request: HttpRequest, *, asks: bool) -> HttpResponse | None:
        return confirming.ask_first(request) if asks or confirming.SEALED in request.POST else None

    def _note_counts(self, request: HttpRequest, verb: str, found: GuestImport) -> None:
        counts = steps.counts(found)
        self.note(request, verb, 200, found, {"waiting": counts.waiting, "done": counts.done})

    def note(self, request: HttpRequest, verb: str, status: int, obj: Any, *args: Any, **kwargs: Any) -> None:
        named = f"import_{verb}" if isinstance(obj, GuestImport) else verb
        super().note(request, named, status, obj, *args, **kwargs)

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"guests/{template}.html", around | context)


def _wishes(form: ImportForm) -> Any:
    given = form.cleaned_data
    return {
        "guest_type": given["guest_type"],
        "existing": given["existing"],
        "sends": given.get("sends", False),
        "gateway_name": given.get("gateway", ""),
    }


def _mendable(found: GuestImport, row: Any) -> dict[str, Any]:
    """A faulty row with its cells to write into, and for each what is wrong with it."""
    faults = [(columns.label(field) if field else "", sentence) for field, sentence in row.faults]
    wrong = {field for field, _sentence in row.faults}
    cells = [
        {"name": f"{CELL}-{row.number}-{field}", "label": columns.label(field), "value": value, "wrong": field in wrong}
        for field, value in steps.values_of(found, row).items()
    ]
    return {"number": row.number, "faults": faults, "cells": cells}


def _faulty_rows(found: GuestImport) -> Iterator[list[str]]:
    """Each with what is wrong with it in a cell of its own."""
    for row in found.rows.filter(outlook=Outlook.FAULTY, done=False):
        said = [f"{columns.label(field)}: {sentence}" if field else sentence for field, sentence in row.faults]
        cells = (row.cells + [""] * len(found.header))[: len(found.header)]
        yield [*cells, " ".join(said)]


def _shown(counts: steps.Counts) -> list[tuple[str, int, int]]:
    """For each outlook how many rows wait, and how many are done."""
    lines = [(str(kind.label), counts.waiting.get(kind, 0), counts.done.get(kind, 0)) for kind in Outlook]
    return [line for line in lines if line[1] or line[2]]


def _to(step: str, found: GuestImport) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"admin:guests_guest_import_{step}", args=(found.pk,)))
