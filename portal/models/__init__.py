"""What the ground keeps: staff, API tokens, the audit trail, answers for repeats, what processes tell of themselves."""

from portal.models.api import ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.staff import User
from portal.models.workers import LastRun, RunningTotal, WorkerHeartbeat

__all__ = ["ApiToken", "AuditEvent", "IdempotencyRecord", "LastRun", "RunningTotal", "User", "WorkerHeartbeat"]
