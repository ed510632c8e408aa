"""What is counted: refused sign-ins, per host and per user at a host. Good ones forgive what the same user mistyped."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from portal import audit, callers
from portal.defender import recent
from portal.defender.allowed import is_allowed
from portal.defender.blocks import blocked, next_end
from portal.models import RefusedTry, User, WatchedHost, Way
from portal.strangers import name_to_keep

logger = logging.getLogger(__name__)

#: Under which key of `request.META` the door finds what a request was turned away for.
TURNED_AWAY = "portal.defender.turned_away"
#: Who blocks, in the audit trail.
DEFENDER = "Defender"
KEPT = timedelta(days=30)


def may_try(request: HttpRequest | Request, who: str | User) -> bool:
    """Whether neither the host nor this user there is blocked; else the door answers for whatever comes of it.

    `who` is a name as it was typed, or the user whose it is. Asked before a password, a code or a passkey is looked at;
    `authenticate` asks by itself.
    """
    name = who.get_username() if isinstance(who, User) else name_to_keep(who)
    row = blocked(callers.host_of(callers.address_of(request)), name)
    if row is not None:
        request.META[TURNED_AWAY] = row
    return row is None


def report(request: HttpRequest | Request, name: str = "", way: Way = Way.PASSWORD) -> None:
    """Counts a refused try; one too many blocks. One that comes while a block holds is answered as blocked.

    Must not be called inside a transaction, which might undo the count.
    """
    address = callers.address_of(request)
    host, username, now = callers.host_of(address), name_to_keep(name), timezone.now()
    with transaction.atomic(durable=True):
        RefusedTry.objects.create(host=host, address=address, username=username, way=way)
        rows = _count(host, username, now)
        too_late = next((row for row in rows if row.is_blocked(now)), None)
        reached = None if too_late else next((row for row in rows if row.count >= settings.DEFENDER_LIMIT), None)
        if reached:
            _block(reached, address, now)
    if reached:
        recent.forget()
    if too_late:
        request.META[TURNED_AWAY] = too_late


def forgive(request: HttpRequest | Request, user: User) -> None:
    """After a good sign-in: what this user mistyped here is taken off the host's count as well.

    Tries for other names are not forgiven, or whoever has an account could guess at all the others. Call it where
    the person is in, with every factor.
    """
    host, username = callers.host_of(callers.address_of(request)), user.get_username()
    if not WatchedHost.objects.filter(host=host, username=username).exists():
        return
    with transaction.atomic():
        locked = WatchedHost.objects.select_for_update().filter(WatchedHost.rows(host, username)).order_by("username")
        whole, own = (next((row for row in locked if bool(row.username) is named), None) for named in (False, True))
        # What the user mistyped before the host's count began is not part of it.
        if whole and own and whole.first_try and own.first_try and own.first_try >= whole.first_try:
            whole.count = max(0, whole.count - own.count)
            whole.save(update_fields=["count"])
        WatchedHost.objects.filter(host=host, username=username).delete()


def drop_old_tries() -> int:
    """Housekeeping: forgets refused tries that are older than KEPT. Returns how many."""
    removed: int = RefusedTry.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
    return removed


def _count(host: str, username: str, now: datetime) -> list[WatchedHost]:
    """Counts one more and answers the rows, the host's first. They stay locked until the transaction ends."""
    names = ([] if is_allowed(host) else [""]) + ([username] if username else [])
    fresh = [WatchedHost(host=host, username=name, first_try=now, last_try=now) for name in names]
    WatchedHost.objects.bulk_create(fresh, ignore_conflicts=True)
    # What was counted before the window, or led to a block that is over, counts no more.
    over = Q(first_try__isnull=True) | Q(first_try__lte=now - timedelta(minutes=settings.DEFENDER_WINDOW))
    served = Q(until__lte=now, last_try__lt=F("until"))
    for name in names:  # one after the other, so that all processes lock rows in the same order
        WatchedHost.objects.filter(host=host, username=name).update(
            count=Case(When(over | served, then=Value(1)), default=F("count") + 1),
            first_try=Case(When(over | served, then=Value(now)), default=F("first_try")),
            last_try=now,
        )
    return list(WatchedHost.objects.filter(host=host, username__in=names).order_by("username"))


def _block(row: WatchedHost, address: str | None, now: datetime) -> None:
    """Blocks a row that this transaction holds, and writes it to the audit trail."""
    row.until, row.times = next_end(row.times, now), row.times + 1
    row.reason, row.blocked_by = "", None
    row.save(update_fields=["until", "times", "reason", "blocked_by"])
    details = {"refused": row.count, "until": row.until.isoformat()}
    audit.record(
        audit.Event("defender:block", 200, user_name=DEFENDER, address=address, object_id=str(row), request=details)
    )
    logger.warning(
        "%s is blocked until %s after %d refused sign-ins", row, f"{row.until:%Y-%m-%d %H:%M:%S %Z}", row.count
    )
