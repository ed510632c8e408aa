"""The brake: registration stops by itself when too few of the codes are entered, as when a robot has them sent.

Whoever pumps messages is paid for them and never enters a code. Codes count from the last release on, so that a
released brake is not pulled again for the same ones.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from guests.models import CODE_TRIES, Brake, Code, RegistrationRules
from portal import audit
from portal.errors import Refusal, Why
from portal.models import User

logger = logging.getLogger(__name__)

#: The only row there is.
ROW = 1
#: Codes made in this time are looked at, once their guests had a while to enter them.
LOOKS_BACK = timedelta(hours=1)
GRACE = timedelta(minutes=3)
#: Who pulls it, in the audit trail.
PORTAL = "Portal"


def current() -> Brake:
    """As it is now."""
    return Brake.objects.filter(pk=ROW).first() or Brake(pk=ROW)


def is_pulled(brake: Brake, now: datetime) -> bool:
    """Whether registration is stopped."""
    return brake.until is not None and brake.until > now


def check(rules: RegistrationRules) -> None:
    """Raises Refusal (too many) while registration is stopped, and stops it where it is time to.

    Must not be called inside a transaction, which might undo that.
    """
    now = timezone.now()
    brake = current()
    if not is_pulled(brake, now) and _should_pull(brake, rules, now):
        brake = _pull(brake, rules, now)
    if is_pulled(brake, now):
        raise _stopped(brake)


def now_stopped() -> Refusal | None:
    """What is said while registration is stopped. It stops nothing itself."""
    brake = current()
    return _stopped(brake) if is_pulled(brake, timezone.now()) else None


def release(by: User | None) -> None:
    """Registration goes on, and what was sent until now is not looked at again."""
    given = {"until": None, "released_at": timezone.now(), "released_by": by}
    Brake.objects.update_or_create(pk=ROW, defaults=given)


def _stopped(brake: Brake) -> Refusal:
    sentence = _("Registration is paused for a while. Please ask at the reception, or try again later.")
    return Refusal(sentence, why=Why.TOO_MANY, until=brake.until)


def _should_pull(brake: Brake, rules: RegistrationRules, now: datetime) -> bool:
    if not rules.brake_percent:
        return False
    begin = max(now - LOOKS_BACK, brake.released_at or now - LOOKS_BACK, brake.until or now - LOOKS_BACK)
    # One in whose place another one was sent could not be entered.
    replaced = Q(entered_at=None, ended_at__lt=F("expires_at"), tries__lt=CODE_TRIES)
    codes = Code.objects.filter(created__gt=begin, created__lte=now - GRACE, sends__gt=0).exclude(replaced)
    counted = codes.aggregate(sent=Count("pk"), entered=Count("pk", filter=Q(entered_at__isnull=False)))
    brake.sent, brake.entered = counted["sent"], counted["entered"]
    never = brake.sent - brake.entered
    return brake.sent >= max(rules.brake_least, 1) and never * 100 >= brake.sent * rules.brake_percent


def _pull(brake: Brake, rules: RegistrationRules, now: datetime) -> Brake:
    until = now + timedelta(minutes=rules.brake_minutes)
    given = {"pulled_at": now, "until": until, "sent": brake.sent, "entered": brake.entered, "released_by": None}
    Brake.objects.bulk_create([Brake(pk=ROW)], ignore_conflicts=True)
    as_read = Brake.objects.filter(pk=ROW, until=brake.until, released_at=brake.released_at)
    if not as_read.update(**given):
        # Somebody else pulled it, or released it, at the same moment.
        return current()
    brake.until = until
    details = {"codes": brake.sent, "entered": brake.entered, "until": until.isoformat()}
    audit.record(audit.Event("guests:brake", 200, user_name=PORTAL, object_id=str(ROW), request=details))
    logger.warning(
        "Registration is stopped until %s: of %d codes %d were entered", f"{until:%H:%M %Z}", brake.sent, brake.entered
    )
    return brake
