"""What the admin writes to the audit trail: the form as it was submitted, its secrets masked as everywhere."""

from typing import Any

from django.http import HttpRequest

from portal import audit, callers
from portal.models import User
from portal.strangers import name_to_keep

#: Where a request carries the right that a page asked for last and did not find.
LACKING = "portal.admin.lacking"


def note(
    request: HttpRequest,
    action: str,
    status: int,
    *,
    object_id: str = "",
    details: Any = None,
    changes: audit.Changes | None = None,
    user: User | None = None,
) -> None:
    """Writes down what the signed-in user did, or who is about to sign in.

    `details` are masked; without them it is the submitted form. `changes` has old and new values, masked as well.
    """
    who = user or request.user
    audit.record(
        audit.Event(
            action=f"admin:{action}",
            status=status,
            user=who if isinstance(who, User) else None,
            address=callers.address_of(request),
            object_id=object_id,
            method=str(request.method),
            path=request.path,
            request=submitted(request) if details is None else details,
            changes=changes or {},
        )
    )


def note_page(request: HttpRequest, status: int) -> None:
    """Writes down a request that is known by its page only."""
    match = request.resolver_match
    kwargs = match.kwargs.values() if match else ()
    page = str(match.url_name) if match else ""
    note(request, page, status, object_id="/".join(str(value) for value in kwargs))


def note_sign_in(request: HttpRequest, status: int, user: User | None = None) -> None:
    """Writes down an attempt to sign in: the name, if it is a user's, and nothing else of a stranger's form."""
    who = user or request.user
    audit.record(
        audit.Event(
            action="admin:login",
            status=status,
            user=who if isinstance(who, User) else None,
            user_name=name_to_keep(str(request.POST.get("username", ""))),
            address=callers.address_of(request),
            method=str(request.method),
            path=request.path,
        )
    )


def submitted(request: HttpRequest) -> dict[str, Any]:
    """The form without what the page's own machinery added."""
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in request.POST.lists()
        if not name.startswith("_") and name != "csrfmiddlewaretoken"
    }
