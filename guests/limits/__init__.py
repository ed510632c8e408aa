"""How often: counts in the database, exact under concurrency, that need neither Redis nor a cache.

`counting` has the mechanism, `of_messages` says what a message with a code is counted against, `brake` stops all of it
when the codes are not entered.
"""

from guests.limits.counting import (
    HeldBack,
    Key,
    Limit,
    charge,
    charge_ahead,
    drop_old_counts,
    give_back,
    held_back,
    name_to_keep,
    release,
)
from guests.limits.of_messages import Asker, limits_of

__all__ = [
    "Asker",
    "HeldBack",
    "Key",
    "Limit",
    "charge",
    "charge_ahead",
    "drop_old_counts",
    "give_back",
    "held_back",
    "limits_of",
    "name_to_keep",
    "release",
]
