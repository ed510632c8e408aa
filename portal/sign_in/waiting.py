"""Who has given the right password and owes a second factor. Until it comes, nobody is signed in."""

from typing import Any

from django.http import HttpRequest

from portal import expiry
from portal.models import User
from portal.sign_in.sessions import backend_of, now

KEPT = "password_given"
#: Seconds for which the second factor is waited for.
PATIENCE = 10 * 60


def remember(request: HttpRequest, user: User, leads_to: str) -> None:
    """The password was right; `leads_to` is where the person wanted to go."""
    request.session.cycle_key()
    request.session.set_expiry(None)
    request.session[KEPT] = {
        "user": user.pk,
        "backend": backend_of(user),
        "password": user.get_session_auth_hash(),
        "at": now(),
        "leads_to": leads_to,
    }


def person(request: HttpRequest) -> User | None:
    """Who that is; None where nobody is, where it took too long, or where the password was changed meanwhile."""
    kept: dict[str, Any] = request.session.get(KEPT) or {}
    if not kept or now() - kept["at"] >= PATIENCE:
        return None
    user = User.objects.filter(pk=kept["user"]).first()
    if user is None or not expiry.may_act(user) or user.get_session_auth_hash() != kept["password"]:
        return None
    user.backend = kept["backend"]
    return user


def leads_to(request: HttpRequest) -> str:
    """Where the person wanted to go; asked before `forget`."""
    kept: dict[str, Any] = request.session.get(KEPT) or {}
    return str(kept.get("leads_to", ""))


def forget(request: HttpRequest) -> None:
    """The second factor came, or the person gave up."""
    request.session.pop(KEPT, None)
