"""*My access*: what guests see and do themselves once they are in. Knows no HTTP.

`entering` has who comes in by user name and password, `deeds` a new password, the own data and erasing them,
`extending` a longer stay; devices are in `guests.devices`.
"""

from guests.own_access.deeds import erase, export, may_extend, new_password, standing

__all__ = ["erase", "export", "may_extend", "new_password", "standing"]
