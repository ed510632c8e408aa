"""What the ground keeps: staff, second factors, tokens, the audit trail, answers kept, workers, watched hosts."""

from portal.models.api import ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.defender import AllowedNetwork, RefusedTry, WatchedHost, Way
from portal.models.devices import RecoveryCodes, TotpDevice
from portal.models.kept import KeptChange
from portal.models.staff import Role, User
from portal.models.workers import LastRun, RunningTotal, WorkerHeartbeat

__all__ = [
    "AllowedNetwork",
    "ApiToken",
    "AuditEvent",
    "IdempotencyRecord",
    "KeptChange",
    "LastRun",
    "RecoveryCodes",
    "RefusedTry",
    "Role",
    "RunningTotal",
    "TotpDevice",
    "User",
    "WatchedHost",
    "Way",
    "WorkerHeartbeat",
]
