"""The admin's pages for the ground's own models. Other apps build theirs on `portal.admin.rights`."""

from portal.admin import audit, clients, defender, keys, records, roles, second_factors, tokens, users

__all__ = ["audit", "clients", "defender", "keys", "records", "roles", "second_factors", "tokens", "users"]
