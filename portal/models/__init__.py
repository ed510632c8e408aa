"""What the ground keeps: staff, second factors, tokens, keys, the audit trail, answers kept, workers, watched hosts."""

from portal.models.api import ApiKey, ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.clients import OAuthClient
from portal.models.defender import AllowedNetwork, RefusedTry, WatchedHost, Way
from portal.models.devices import RecoveryCodes, TotpDevice
from portal.models.kept import KeptChange
from portal.models.sessions import ApiSession
from portal.models.staff import Role, User
from portal.models.workers import CallCount, LastRun, RunningTotal, WorkerHeartbeat

__all__ = [
    "AllowedNetwork",
    "ApiKey",
    "ApiSession",
    "ApiToken",
    "AuditEvent",
    "CallCount",
    "IdempotencyRecord",
    "KeptChange",
    "LastRun",
    "OAuthClient",
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
