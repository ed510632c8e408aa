"""Guests in the admin: `guests.py` their pages, `deeds.py` and `doing.py` what can be done to them there."""

from guests.admin import approvals, branding, guest_types, guests, held_back, registrations, rules, sponsors, terms

__all__ = [
    "approvals",
    "branding",
    "guest_types",
    "guests",
    "held_back",
    "registrations",
    "rules",
    "sponsors",
    "terms",
]
