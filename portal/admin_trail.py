"""What the admin writes to the audit trail: the form as it was submitted, its secrets masked as everywhere."""

from typing import Any

from django.http import HttpRequest

from portal import audit
from portal.models import User

#: Where a request carries the right that a page asked for last and did not find.
LACKING = "portal.admin.lacking"


def note(request: HttpRequest, action: str, status: int, *, object_id: str = "", details: Any = None) -> None:
    """Writes down what the signed-in user did. `details` are masked; without them it is the submitted form."""
    user = request.user
    audit.record(
        audit.Event(
            action=f"admin:{action}",
            status=status,
            user=user if isinstance(user, User) else None,
            address=audit.address_of(request),
            object_id=object_id,
            method=str(request.method),
            path=request.path,
            request=submitted(request) if details is None else details,
        )
    )


def note_page(request: HttpRequest, status: int) -> None:
    """Writes down a request that is known by its page only."""
    match = request.resolver_match
    kwargs = match.kwargs.values() if match else ()
    page = str(match.url_name) if match else ""
    note(request, page, status, object_id="/".join(str(value) for value in kwargs))


def note_sign_in(request: HttpRequest, status: int) -> None:
    """Writes down an attempt to sign in: the name that was given, and nothing else of a stranger's form."""
    audit.record(
        audit.Event(
            action="admin:login",
            status=status,
            user=request.user if isinstance(request.user, User) else None,
            user_name=str(request.POST.get("username", "")),
            address=audit.address_of(request),
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
