"""The audit trail: every call and action that changes or sends something, failures too, with secrets masked."""

import logging
import re
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, transaction

from portal.models import AuditEvent, User

logger = logging.getLogger(__name__)

MASK = "*" * 24
LONGEST_TEXT = 200
MOST_ITEMS = 50
DEEPEST = 6

_SECRET = re.compile(r"passw|pwd|token|secret|api_?key|authori[sz]ation|credential$|^pin$|^code$|^otp$")
_TEXT = re.compile(r"^(message|text|body)$")
# Dates are matched first, so that their digits are never taken for a phone's.
_DATE = r"(?:19|2\d)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?"
_PHONE = re.compile(rf"((?<![\d+]){_DATE}(?:{_TIME})?(?!\d|-\d))|\+?\d(?:[\s().-]{{0,2}}\d){{8,}}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Event:
    """What is written down. `request` is masked before it is stored; the rest must not hold secrets."""

    action: str
    status: int
    user: User | None = None
    user_name: str = ""
    address: str | None = None
    object_id: str = ""
    method: str = ""
    path: str = ""
    request: Any = field(default_factory=dict, repr=False)


def record(event: Event) -> None:
    """Writes the event, in the caller's transaction where there is one. A failure is logged and never raised."""
    try:
        # Inside the caller's transaction this is a savepoint, so that a failure here does not undo the work.
        with transaction.atomic():
            _row(event).save(force_insert=True)
    except (DatabaseError, ValueError, TypeError):
        logger.exception("The audit event of %s could not be written", event.action)


def _row(event: Event) -> AuditEvent:
    return AuditEvent(
        user=event.user,
        user_name=_storable(event.user_name or (event.user.get_username() if event.user else ""))[:150],
        address=event.address,
        action=event.action[:100],
        object_id=_storable(event.object_id)[:200],
        method=event.method[:10],
        path=_storable(event.path)[:300],
        request=mask(event.request),
        status=event.status,
    )


def mask(value: Any, depth: int = 0) -> Any:
    """The value as it may be stored: secrets as asterisks, texts as their length, phones shortened, all of it small."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        shown = list(value.items())[:MOST_ITEMS]
        return {_storable(str(name))[:100]: _mask_named(str(name), item, depth) for name, item in shown}
    if isinstance(value, list | tuple):
        return [mask(item, depth + 1) for item in value[:MOST_ITEMS]]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 10**8:
        return value
    return _PHONE.sub(lambda found: found[1] or mask_phone(found[0]), _storable(str(value)[:LONGEST_TEXT]))


def _mask_named(name: str, value: Any, depth: int) -> Any:
    lowered = name.lower()
    if _SECRET.search(lowered):
        return MASK
    if lowered == "settings":
        return dict.fromkeys(list(map(str, value))[:MOST_ITEMS], MASK) if isinstance(value, dict) else MASK
    if _TEXT.search(lowered) and isinstance(value, str):
        return f"{len(value)} characters"
    return mask(value, depth + 1)


def mask_phone(phone: str) -> str:
    """`+79161234567` as `+7916•••••67`."""
    return f"{phone[:5]}•••••{phone[-2:]}" if len(phone) >= 9 else "•••••"


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
