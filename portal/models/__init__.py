"""What the ground keeps: staff, API tokens, the audit trail, answers kept for repeats, workers, watched hosts."""

from portal.models.api import ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.defender import AllowedNetwork, RefusedTry, WatchedHost, Way
from portal.models.staff import Role, User
from portal.models.workers import LastRun, RunningTotal, WorkerHeartbeat

__all__ = [
    "AllowedNetwork",
    "ApiToken",
    "AuditEvent",
    "IdempotencyRecord",
    "LastRun",
    "RefusedTry",
    "Role",
    "RunningTotal",
    "User",
    "WatchedHost",
    "Way",
    "WorkerHeartbeat",
]
