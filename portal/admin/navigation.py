"""The admin's navigation, handed down by apps in `registry.NAVIGATION`; only what the signed-in user may see."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from portal.permissions import Right, may
from portal.registry import EVERY_RIGHT, NAVIGATION, SECTIONS, AdminPage


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """What Unfold draws at the side: sections with the pages for which this user has every right."""
    found = ((title, _pages(request, name)) for name, title in SECTIONS.items())
    return [{"title": title, "items": pages} for title, pages in found if pages]


def _pages(request: HttpRequest, section: str) -> list[dict[str, Any]]:
    return [_line(page) for page in NAVIGATION[section] if may(request.user, *_rights(page))]


def _rights(page: AdminPage) -> tuple[Right, ...]:
    return tuple(Right) if page.needs == EVERY_RIGHT else tuple(map(Right, page.needs))


def _line(page: AdminPage) -> dict[str, Any]:
    return {"title": capfirst(str(page.label)), "link": reverse(page.address), "icon": page.icon}
