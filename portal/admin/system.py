"""The page `/admin/system/`: how the portal is, and what to do about it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.permissions import Right, missing_right
from portal.system.report import parts

#: By the state's value, the classes of Unfold's labels.
TONES = {"ok": "success", "warning": "warning", "error": "danger"}


def page(request: HttpRequest) -> HttpResponse:
    """All parts, each line with its state and its remedy."""
    if missing := missing_right(request.user, Right.SYSTEM_READ):
        raise PermissionDenied(missing)
    found = [{"title": part.title, "lines": [_line(line) for line in part.lines]} for part in parts()]
    return render(request, "portal/admin/system.html", admin.site.each_context(request) | _about(found))


def _about(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": _("System"), "parts": found}


def _line(line: Any) -> dict[str, Any]:
    return {**line._asdict(), "tone": TONES[line.state]}
