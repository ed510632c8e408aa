"""The admin's pages for the ground's own models. Other apps build theirs on `portal.admin.rights`."""

from portal.admin import audit, records, users

__all__ = ["audit", "records", "users"]
