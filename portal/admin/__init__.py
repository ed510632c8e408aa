"""The admin's pages for the ground's own models. Other apps build theirs on `portal.admin.rights`."""

from portal.admin import defender, records, roles, tokens, users

__all__ = ["defender", "records", "roles", "tokens", "users"]
