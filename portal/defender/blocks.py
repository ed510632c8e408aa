"""Who is blocked, and who blocks and unblocks."""

import ipaddress
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import callers, statements
from portal.defender import recent
from portal.defender.allowed import is_allowed
from portal.errors import Refusal
from portal.models import User, WatchedHost

LONGEST = timedelta(days=1)
#: A person may mean a longer one.
LONGEST_BY_HAND = timedelta(days=366)
#: Whether there is anything to look at; nearly always there is nothing.
EVER_BLOCKED = "SELECT 1 FROM portal_watchedhost WHERE host = %s AND until IS NOT NULL LIMIT 1"


def blocked(host: str, username: str = "") -> WatchedHost | None:
    """The row by which this host, or this user there, is blocked now; the database is asked."""
    if not statements.ask(EVER_BLOCKED, [host]):
        return None
    for row in WatchedHost.objects.blocked().filter(WatchedHost.rows(host, username)).order_by("username"):
        if row.username or not is_allowed(host):
            return row
    return None


def recently_blocked(host: str) -> WatchedHost | None:
    """The row by which the whole host is blocked, as was known a second ago at most."""
    found = recent.answer(host)
    if found is None:
        row = blocked(host)
        recent.remember(host, row)
        return row
    return found.row if found.row and found.row.is_blocked(timezone.now()) else None


def blocked_now() -> int:
    """How many are blocked: hosts as a whole, and users at hosts."""
    count: int = WatchedHost.objects.blocked().count()
    return count


def next_end(times: int, now: datetime) -> datetime:
    """When a block ends that comes after so many others: each lasts twice as long as the one before, up to a day."""
    # After eleven doublings a minute has become more than a day.
    lasts: timedelta = timedelta(minutes=settings.DEFENDER_BLOCK) * 2 ** min(times, 11)
    return now + min(lasts, LONGEST)


def block(
    host: str, *, minutes: int, reason: str, by: User, username: str = "", own_address: str | None = None
) -> WatchedHost:
    """What a person does by hand; a host that is blocked gets this end and this reason.

    Raises Refusal (fields `host`, `username`, `minutes`): for the person's own host, too.
    """
    spelled = _host(host, username, own_address)
    if username and not User.objects.filter(username=username).exists():
        raise Refusal(_("There is no user of this name."), field="username")
    if not 1 <= minutes <= LONGEST_BY_HAND // timedelta(minutes=1):
        raise Refusal(_("Give minutes, from 1 to a year."), field="minutes")
    until = timezone.now() + timedelta(minutes=minutes)
    given = {"until": until, "reason": reason.strip(), "blocked_by": by}
    row: WatchedHost = WatchedHost.objects.update_or_create(host=spelled, username=username, defaults=given)[0]
    recent.forget()
    return row


def unblock(row: WatchedHost) -> None:
    """Forgets what was counted; for a whole host also what was counted for users there."""
    rows = WatchedHost.objects.filter(host=row.host)
    (rows.filter(username=row.username) if row.username else rows).delete()
    recent.forget()


def drop_old_hosts() -> int:
    """Housekeeping: forgets hosts from which nothing was refused, and that were not blocked, for a day."""
    before = timezone.now() - LONGEST
    quiet = Q(last_try__lt=before) | Q(last_try=None)
    free = Q(until__lt=before) | Q(until=None)
    removed: int = WatchedHost.objects.filter(quiet & free).delete()[0]
    return removed


def _host(typed: str, username: str, own_address: str | None) -> str:
    """The host as it is watched. Raises Refusal (field `host`)."""
    host = callers.host_of(_first_address(typed))
    if not host:
        raise Refusal(_("Give an address such as 192.0.2.7 or 2001:db8::1."), field="host")
    if host == callers.host_of(own_address):
        raise Refusal(_("This is the host you are working at: you would lock yourself out."), field="host")
    if not username and is_allowed(host):
        raise Refusal(_("This host is never blocked: it is in an allowed network or one of our proxies."), field="host")
    return host


def _first_address(typed: str) -> str:
    """Of an IPv6 host, as lists show it, its first address; anything else as it is."""
    bare = typed.strip()
    try:
        network = ipaddress.ip_network(bare)
    except ValueError:
        return ""
    whole = network.version == 6 and network.prefixlen == callers.IPV6_HOST
    return str(network.network_address) if whole or network.num_addresses == 1 else ""
