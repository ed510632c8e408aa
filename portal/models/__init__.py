"""What the ground keeps: staff, API tokens, the audit trail, answers kept for repeats, workers' heartbeats."""

from portal.models.api import ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.staff import Role, User
from portal.models.workers import WorkerHeartbeat

__all__ = ["ApiToken", "AuditEvent", "IdempotencyRecord", "Role", "User", "WorkerHeartbeat"]
