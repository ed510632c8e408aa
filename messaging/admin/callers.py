"""Who is at the page, and whether they may do what they ask for."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.permissions import Right, missing_right


def caller(request: HttpRequest) -> Any:
    """The signed-in user; the admin lets nobody else in."""
    return request.user


def demand(request: HttpRequest, *rights: Right) -> None:
    """Raises PermissionDenied, which names the first right that is missing."""
    if missing := missing_right(caller(request), *rights):
        sentence = _("For this you need the right “%(label)s” (%(name)s).")
        raise PermissionDenied(sentence % {"label": missing.label, "name": missing.value})


def has_confirmed(request: HttpRequest) -> bool:
    """Whether a person who was told what it means has said yes. Every send to many asks here, and only here."""
    return request.method == "POST" and request.POST.get("confirmed") == "yes"
