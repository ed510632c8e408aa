"""The admin's pages for the ground's own models. Other apps build theirs on `portal.admin.rights`."""

from portal.admin import api_sessions, audit, clients, defender, keys, records, roles, second_factors, tokens, users

__all__ = [
    "api_sessions",
    "audit",
    "clients",
    "defender",
    "keys",
    "records",
    "roles",
    "second_factors",
    "tokens",
    "users",
]
