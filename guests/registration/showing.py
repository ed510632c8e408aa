"""A new password is shown once, and for a minute more to whoever loads the page again; then it is wiped."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from guests.models import Registration

SHOWN = timedelta(minutes=1)
#: One that nobody came to see.
KEPT = timedelta(days=1)


def password_to_show(registration: Registration) -> str | None:
    """The password to show now; None where it was shown before. It went out by SMS, or a new one can be made."""
    now = timezone.now()
    Registration.objects.filter(pk=registration.pk, password__isnull=False, password_shown_at=None).update(
        password_shown_at=now
    )
    registration.refresh_from_db(fields=["password", "password_shown_at"])
    shown_at = registration.password_shown_at
    return registration.password if shown_at and shown_at > now - SHOWN else None


def wipe_shown() -> int:
    """Housekeeping: passwords that were shown, and those that nobody came to see."""
    now = timezone.now()
    over = Q(password_shown_at__lte=now - SHOWN) | Q(password_shown_at=None, finished_at__lte=now - KEPT)
    return Registration.objects.filter(over, password__isnull=False).update(password=None)
