"""The admin's navigation, handed down by apps in `registry.NAVIGATION`; only what the signed-in user may see."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from portal.permissions import Right, may
from portal.registry import EVERY_RIGHT, NAVIGATION, SECTIONS, TABS, AdminPage


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """What Unfold draws at the side: sections with the pages for which this user has every right."""
    found = ((title, _pages(request, name)) for name, title in SECTIONS.items())
    return [{"title": title, "items": pages} for title, pages in found if pages]


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Lists of one subject that share a line at the side: Unfold draws the way to the others above each of them."""
    return [_group(group, request) for group in TABS]


def _pages(request: HttpRequest, section: str) -> list[dict[str, Any]]:
    return [_line(page) for page in NAVIGATION[section] if may(request.user, *_rights(page))]


def _group(group: list[AdminPage], request: HttpRequest) -> dict[str, Any]:
    items = [_line(page) for page in group if may(request.user, *_rights(page))]
    return {"models": [_model(page) for page in group], "items": items}


def _model(page: AdminPage) -> str:
    """`admin:portal_watchedhost_changelist` is the list of `portal.watchedhost`."""
    return page.address.removeprefix("admin:").removesuffix("_changelist").replace("_", ".", 1)


def _rights(page: AdminPage) -> tuple[Right, ...]:
    return tuple(Right) if page.needs == EVERY_RIGHT else tuple(map(Right, page.needs))


def _line(page: AdminPage) -> dict[str, Any]:
    return {"title": capfirst(str(page.label)), "link": reverse(page.address), "icon": page.icon}


def account(_request: HttpRequest) -> list[dict[str, Any]]:
    """What everybody finds under his own name."""
    pages = (
        (_("Your sign-in"), "admin:own_sign_in"),
        (_("Your preferences"), "preferences"),
        (_("Change password"), "admin:password_change"),
    )
    return [{"title": label, "link": reverse(address)} for label, address in pages]
