"""The audit trail: every call and action that changes or sends something, failures too, with secrets masked."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from portal import counting
from portal.models import AuditEvent, User
from portal.portions import drop, in_portions

logger = logging.getLogger(__name__)

#: For each field its old and its new value.
Changes = Mapping[str, tuple[Any, Any]]

MASK = "*" * 24
#: What actions of these begin with; all others are calls of the API.
DOORS = ("admin", "guests")
LONGEST_TEXT = 200
MOST_ITEMS = 50
DEEPEST = 6
#: How many old events one statement removes.
BATCH = 1000

#: Stands for the name of a field that does not look like one.
UNNAMED = "(name not shown)"

# A caller may take a phone, a code or a whole text for the name of a field.
_NAME = re.compile(r"(?!(?:\D*\d){5})[a-zA-Z_][\w.-]{0,99}", re.ASCII)
# A form may have a prefix: `confirm-code`.
_SECRET = re.compile(
    r"passw|pwd|^pass$|^psw$|token|secret|api_?key|authori[sz]ation|credential$|(?:^|-)(?:pin|code|otp)$|^dlr-url$"
)
#: Behind the host of an address may stand what lets in whoever knows it.
_ADDRESS = re.compile(r"(?:^|_)url$")
_TEXT = re.compile(r"^(message|text|body|mes)$")
_HOST = re.compile(r"https?://[\w.:\[\]-]{1,253}(?=[/?#]|\Z)", re.IGNORECASE)
# Dates are matched first, so that their digits are never taken for a phone's.
_DATE = r"(?:19|2\d)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?"
_PHONE = re.compile(rf"((?<![\d+]){_DATE}(?:{_TIME})?(?!\d|-\d))|\+?\d(?:[\s().-]{{0,2}}\d){{8,}}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Event:
    """What is written down. `request` and `changes` are masked first; the rest must not hold secrets."""

    action: str
    status: int
    user: User | None = None
    user_name: str = ""
    address: str | None = None
    object_id: str = ""
    method: str = ""
    path: str = ""
    request: Any = field(default_factory=dict, repr=False)
    changes: Changes = field(default_factory=dict, repr=False)


def record(event: Event) -> None:
    """Writes the event, in the caller's transaction where there is one. A failure is logged and never raised."""
    try:
        # Inside the caller's transaction this is a savepoint, so that a failure here does not undo the work.
        with transaction.atomic():
            row_of(event).save(force_insert=True)
            transaction.on_commit(partial(count, event))
    except (DatabaseError, ValueError, TypeError):
        logger.exception("The audit event of %s could not be written", event.action)


def row_of(event: Event) -> AuditEvent:
    """The event as it is stored, for whoever writes it together with the work."""
    return AuditEvent(
        user=event.user,
        user_name=_storable(event.user_name or (event.user.get_username() if event.user else ""))[:150],
        address=event.address,
        action=event.action[:100],
        object_id=_storable(event.object_id)[:200],
        method=event.method[:10],
        path=_storable(event.path)[:300],
        request=mask(event.request),
        changes=mask_changes(event.changes),
        status=event.status,
    )


def count(event: Event) -> None:
    """Counts it for `/metrics`, once it is committed."""
    result = "done" if event.status < 400 else "refused" if event.status < 500 else "failed"
    door = event.action.partition(":")[0]
    counting.add("audit_events", door=door if door in DOORS else "api", result=result)


def mask(value: Any, depth: int = 0) -> Any:
    """The value as it may be stored: secrets as asterisks, texts as their length, phones shortened, all of it small."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        shown = list(value.items())[:MOST_ITEMS]
        return {shown_name(str(name)): _mask_named(str(name), item, depth) for name, item in shown}
    if isinstance(value, list | tuple):
        return [mask(item, depth + 1) for item in value[:MOST_ITEMS]]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 10**8:
        return value
    return _PHONE.sub(lambda found: found[1] or mask_phone(found[0]), _storable(str(value)[:LONGEST_TEXT]))


def _mask_named(name: str, value: Any, depth: int) -> Any:
    lowered = name.lower()
    if shown_name(name) == UNNAMED:
        # Where a phone or a text is the name, the other may be the value.
        return MASK
    if _SECRET.search(lowered):
        return MASK
    if lowered.startswith("settings."):
        # One setting of a gateway: a form has each under a name of its own.
        return MASK
    if lowered == "settings":
        names = list(map(str, value))[:MOST_ITEMS] if isinstance(value, dict) else None
        return MASK if names is None else dict.fromkeys(map(shown_name, names), MASK)
    shown = _in_part(lowered, value) if isinstance(value, str) else None
    return mask(value, depth + 1) if shown is None else shown


def _in_part(lowered: str, value: str) -> str | None:
    """What may be shown of an address or a text; None of anything else."""
    if _ADDRESS.search(lowered):
        return mask_address(value)
    return f"{len(value)} characters" if _TEXT.search(lowered) else None


def shown_name(name: str) -> str:
    """The name of a field as it may be stored: a short one that looks like one, with few digits; or UNNAMED."""
    return name if _NAME.fullmatch(name) else UNNAMED


def mask_changes(changes: Changes) -> dict[str, list[Any]]:
    """Old and new value of each field, masked by the field's name."""
    shown = list(changes.items())[:MOST_ITEMS]
    return {_storable(name)[:100]: [_mask_named(name, old, 0), _mask_named(name, new, 0)] for name, (old, new) in shown}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is another now; of an object such as a gateway's settings, only the keys that are."""
    pairs = {name: (before.get(name), value) for name, value in after.items()}
    return {name: _narrowed(old, new) for name, (old, new) in pairs.items() if old != new}


def _narrowed(old: Any, new: Any) -> tuple[Any, Any]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old, new
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old[name] for name in names if name in old}, {name: new[name] for name in names if name in new}


def mask_address(url: str) -> str:
    """`https://desk.example.org/hooks?key=1` as `https://desk.example.org/…`."""
    found = _HOST.match(_storable(url))
    return f"{found[0]}/…" if found else "…"


def mask_phone(phone: str) -> str:
    """`+79161234567` as `+7916•••••67`."""
    return f"{phone[:5]}•••••{phone[-2:]}" if len(phone) >= 9 else "•••••"


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def drop_old_events() -> int:
    """Housekeeping: events older than AUDIT_RETENTION_DAYS, in small batches so that nobody waits for a lock."""
    return in_portions(_drop_some, BATCH)


def _drop_some(most: int) -> int:
    before = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    return drop(AuditEvent.objects.filter(at__lt=before).order_by("at"), most)
