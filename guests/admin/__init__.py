"""Guests in the admin: `guests.py` their pages, `deeds.py` and `doing.py` what can be done to them there."""

from guests.admin import guest_types, guests, terms

__all__ = ["guest_types", "guests", "terms"]
