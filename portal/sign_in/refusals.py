"""Wrong second factors: the one place where they are reported, to the Defender and to the audit trail."""

from django.http import HttpRequest

from portal import admin_trail, defender
from portal.models import User, Way


def refused(request: HttpRequest, user: User | None, way: str) -> None:
    """A wrong second factor was given by `way`: app, recovery code or passkey. Whose is unknown for a strange passkey.

    Wrong passwords are Django's to report: they all go through `authenticate`.
    """
    defender.report(request, user.get_username() if user else "", way=Way.CODE)
    admin_trail.note(request, "second_factor", 401, details={"by": way}, user=user)
