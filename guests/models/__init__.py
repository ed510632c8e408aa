"""What is kept of guests: the guests, the types that say how long they stay, and the terms they are shown."""

from guests.models.guest import CALLS, USUAL_STAY, Guest, usual_end
from guests.models.guest_import import Existing, GuestImport, GuestImportRow, Outlook, Sending
from guests.models.guest_type import CountsFrom, GuestType, PasswordStyle
from guests.models.terms import Terms

__all__ = [
    "CALLS",
    "USUAL_STAY",
    "CountsFrom",
    "Existing",
    "Guest",
    "GuestImport",
    "GuestImportRow",
    "GuestType",
    "Outlook",
    "PasswordStyle",
    "Sending",
    "Terms",
    "usual_end",
]
