"""What the ground keeps: staff and their second factors, API tokens, the audit trail, answers kept, heartbeats."""

from portal.models.api import ApiToken, IdempotencyRecord
from portal.models.audit import AuditEvent
from portal.models.devices import RecoveryCodes, TotpDevice
from portal.models.staff import User
from portal.models.workers import WorkerHeartbeat

__all__ = ["ApiToken", "AuditEvent", "IdempotencyRecord", "RecoveryCodes", "TotpDevice", "User", "WorkerHeartbeat"]
