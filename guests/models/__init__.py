"""What is kept of guests: the guests, the types that say how long they stay, and the terms they are shown."""

from guests.models.guest import CALLS, USUAL_STAY, Guest, usual_end
from guests.models.guest_type import CountsFrom, GuestType, PasswordStyle
from guests.models.terms import Terms

__all__ = ["CALLS", "USUAL_STAY", "CountsFrom", "Guest", "GuestType", "PasswordStyle", "Terms", "usual_end"]
