"""The Defender («Защитник»): refused sign-ins are counted per host, and per user and host together; too many block.

It never counts a user alone: nobody can lock another out from elsewhere. All is in the database, so that every
process sees it, and Redis is not needed. `may_try` is asked first, `report` is told of refused tries, `forgive` of good
sign-ins;
`door.Door` is the middleware that turns blocked hosts away, and `handler` is what axes calls around `authenticate()`.
"""

from portal.defender.blocks import block, blocked_now, unblock
from portal.defender.counting import forgive, may_try, report
from portal.models import Way

__all__ = ["Way", "block", "blocked_now", "forgive", "may_try", "report", "unblock"]
