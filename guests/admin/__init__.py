"""Guests in the admin: `guests.py` their pages, `deeds.py` and `doing.py` what can be done to them there."""

from guests.admin import branding, guest_types, guests, held_back, registrations, rules, terms

__all__ = ["branding", "guest_types", "guests", "held_back", "registrations", "rules", "terms"]
