"""The mechanism: rows that count since a moment, for so many minutes. Taking one of each is one decision.

A count belongs to the transaction that takes it: what is rolled back was not counted.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Literal, NamedTuple, get_args

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from guests.models import LimitCount, Scope
from portal import audit
from portal.errors import Refusal, Why

#: Scope, minutes, key: what tells a row from others.
Key = tuple[str, int, str]

#: For how many minutes something may be counted. There are no others, so that no query looks for them.
Span = Literal[15, 60, 1440]
QUARTER: Span = 15
HOUR: Span = 60
DAY: Span = 1440
#: Whoever locks several rows does so in this order, so that no two of us wait for each other.
ORDER = ("scope", "minutes", "key")
#: So many are thrown away in one turn of housekeeping.
AT_ONCE = 1000

SENTENCES: dict[str, str | Promise] = {
    Scope.PHONE: _("Several messages were sent to this number already."),
    Scope.ADDRESS: _("Several messages were asked for from your network address already."),
    Scope.NETWORK: _("Many messages were asked for from your network already."),
    Scope.DEVICE: _("Several messages were asked for from this device already."),
    Scope.PREFIX: _("Many messages were sent to numbers like this one already."),
    Scope.COUNTRY: _("Many messages were sent to numbers of this country already."),
    Scope.PORTAL: _("Too many people are registering at the moment."),
    Scope.GUESSES: _("There were too many wrong passwords."),
    Scope.GUESSES_ADDRESS: _("There were too many wrong passwords from your network address."),
    Scope.GUESSES_NAME: _("There were too many wrong passwords."),
    Scope.SPONSOR: _("This sponsor was asked several times already."),
}


class Limit(NamedTuple):
    """So many of `key` in so many minutes. `most` of 0 is no limit."""

    scope: Scope
    minutes: Span
    key: str
    most: int

    @property
    def row(self) -> Key:
        """What its row is found by."""
        return (self.scope.value, self.minutes, self.key)


def charge(limits: Iterable[Limit]) -> list[Key]:
    """Takes one of each and says what was taken; where one of them is used up, none is taken.

    Call it inside the transaction that does what is counted. The rows stay locked until that ends, in one order
    everywhere. Raises Refusal (too many) with `until`, the moment from which all of them have room again.
    """
    wanted = {limit.row: limit for limit in limits if limit.most}
    if not wanted:
        return []
    now = timezone.now()
    rows = _locked(wanted, now)
    full = [row for row in rows if now < row.since + row.span and row.count >= wanted[_key(row)].most]
    if full:
        raise HeldBack(full)
    over = [row.pk for row in rows if row.since + row.span <= now]
    if over:
        LimitCount.objects.filter(pk__in=over).update(since=now, count=0, refused=0)
    LimitCount.objects.filter(pk__in=[row.pk for row in rows]).update(count=F("count") + 1)
    for row in rows:
        if row.most != (most := wanted[_key(row)].most):
            LimitCount.objects.filter(pk=row.pk).update(most=most)
    return sorted(wanted)


def charge_ahead(limits: Iterable[Limit]) -> list[Key]:
    """The same in a transaction of its own, before what is counted is done; who is turned away is noted."""
    try:
        with transaction.atomic():
            return charge(limits)
    except HeldBack as held:
        held.note()
        raise


class HeldBack(Refusal):
    """One or more limits are used up. `note` writes down that somebody was turned away, once nothing is rolled back."""

    def __init__(self, full: Sequence[LimitCount]) -> None:
        last = max(full, key=lambda row: row.since + row.span)
        super().__init__(SENTENCES[last.scope], why=Why.TOO_MANY, until=last.since + last.span)
        self.rows = [row.pk for row in full if row.pk]

    def note(self) -> None:
        """For the eyes of the administrator."""
        _update(Q(pk__in=self.rows), refused=F("refused") + 1)


def give_back(keys: Iterable[Sequence[str | int]], *, taken_at: datetime | None = None) -> None:
    """What was taken is not counted: nothing was sent. What was counted anew since `taken_at` has none of it."""
    condition = _any_of((str(scope), int(minutes), str(key)) for scope, minutes, key in keys)
    if condition is not None:
        same = Q(since__lte=taken_at) if taken_at else Q()
        _update(condition & same & Q(count__gt=0), count=F("count") - 1)


def held_back(now: datetime | None = None) -> QuerySet[LimitCount]:
    """Whoever has used up a limit now."""
    at = now or timezone.now()
    return LimitCount.objects.filter(_runs(at), most__gt=0, count__gte=F("most"))


def release(row: LimitCount) -> None:
    """Begins to count anew."""
    LimitCount.objects.filter(pk=row.pk).update(count=0, refused=0, since=timezone.now())


def name_to_keep(row: LimitCount) -> str:
    """What it is called in the audit trail, which keeps no phone."""
    of_phones = row.scope in {Scope.PHONE, Scope.PREFIX}
    return f"{row.scope} {audit.mask_phone(row.key)}" if of_phones else str(row)


def drop_old_counts() -> int:
    """Housekeeping: what counts no more is forgotten, phones and addresses with it."""
    with transaction.atomic():
        # What somebody has in hand is about to count anew.
        over = LimitCount.objects.select_for_update(skip_locked=True).exclude(_runs(timezone.now()))
        keys = list(over.order_by().values_list("pk", flat=True)[:AT_ONCE])
        removed: int = LimitCount.objects.filter(pk__in=keys).delete()[0]
    return removed


def _locked(wanted: dict[Key, Limit], now: datetime) -> list[LimitCount]:
    """The rows of these keys, made where they are missing; in the order of their keys."""
    fresh = [
        LimitCount(scope=scope, minutes=minutes, key=key, since=now, most=wanted[scope, minutes, key].most)
        for scope, minutes, key in sorted(wanted)
    ]
    LimitCount.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = list(LimitCount.objects.select_for_update().filter(_any_of(wanted)).order_by(*ORDER))
    # Housekeeping may have thrown one away before it was locked.
    return rows if len(rows) == len(wanted) else _locked(wanted, now)


@transaction.atomic
def _update(condition: Q, **values: Any) -> None:
    rows = LimitCount.objects.select_for_update().filter(condition).order_by(*ORDER)
    LimitCount.objects.filter(pk__in=[row.pk for row in rows]).update(**values)


def _any_of(keys: Iterable[Key]) -> Q | None:
    found = [Q(scope=scope, minutes=minutes, key=key) for scope, minutes, key in keys]
    return reduce(or_, found) if found else None


def _key(row: LimitCount) -> Key:
    return (row.scope, row.minutes, row.key)


def _runs(now: datetime) -> Q:
    """Whether a count still lasts. The spans are few, so each is a condition that an index can answer."""
    return reduce(or_, (Q(minutes=span, since__gt=now - timedelta(minutes=span)) for span in get_args(Span)))
