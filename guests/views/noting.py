"""What guests do to their own access is on the audit trail, as what staff do is."""

from django.http import HttpRequest

from guests.models import Guest
from portal import audit, callers

#: Who did it; on whom tells who that is.
WHO = "guest"


def note(request: HttpRequest, deed: str, guest: Guest, *, path: str = "", **details: str) -> None:
    """Guests are found by their names, and after they were erased by the new one. `path` stands for a secret one."""
    audit.record(
        audit.Event(
            action=f"guests:{deed}",
            status=200,
            user_name=WHO,
            address=callers.address_of(request),
            object_id=guest.username,
            method=str(request.method),
            path=path or request.path,
            request=details,
        )
    )
