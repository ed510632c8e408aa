"""Guests in the admin: `guests.py` their pages, `deeds.py` and `doing.py` what can be done to them there."""

from guests.admin import approvals, guest_types, guests, sponsors, terms

__all__ = ["approvals", "guest_types", "guests", "sponsors", "terms"]
