"""The link that a sponsor is sent: random, good for one decision. It is kept encrypted while it is good, because the
question is repeated, and found by its digest.
"""

import secrets

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from guests.models import Approval, Stage

#: 128 bits; in an SMS every character counts.
BYTES = 16
PATH = "/guest/approve/"


def new() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(BYTES)


def digest(token: str) -> str:
    """What a token is found by."""
    return salted_hmac("guests.approvals", token.encode(errors="replace"), algorithm="sha256").hexdigest()


def address(token: str) -> str:
    """Where it leads."""
    return f"{settings.PORTAL_URL}{PATH}{token}"


def can_be_made() -> bool:
    """Whether it is known where sponsors reach the portal."""
    return bool(settings.PORTAL_URL)


def of_link(token: str) -> Approval | None:
    """What this link is about, while it may still be decided."""
    rows = Approval.objects.select_related("registration__guest_type", "sponsor__user")
    found = rows.filter(link_digest=digest(token), registration__stage=Stage.APPROVAL).first() if token else None
    return found if found is not None and found.is_open(timezone.now()) else None
