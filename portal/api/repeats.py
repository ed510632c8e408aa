"""Calls of systems that refuse the same call for a while: nothing is kept for the repeat but that there was a first."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.api.authentication import credentials
from portal.api.views import ApiView
from portal.errors import Refusal, Why
from portal.models import IdempotencyRecord
from portal.portions import drop, in_portions

#: No system refuses the same call for longer; then the record is of no use.
KEPT = timedelta(minutes=10)
#: How many of them one statement removes.
BATCH = 1000
NOTHING_KEPT: dict[str, Any] = {"fingerprint": "", "status": 0, "answer": ""}


def refuse_again(view: ApiView, key: str, within: timedelta) -> None:
    """Puts on record that this is done now. Call it in the transaction that does it; who comes meanwhile waits here.

    `key` says all that the call is about, among those of the same system (the view's `tag`). Raises Refusal (conflict)
    where the same program of the caller has done it within that time, which is KEPT at the most.
    """
    now, same = timezone.now(), _same(view, key)
    _record, is_first = IdempotencyRecord.objects.get_or_create(**same, defaults=NOTHING_KEPT)
    if is_first or IdempotencyRecord.objects.filter(**same, created__lte=now - within).update(created=now):
        return
    seconds = int(within.total_seconds())
    raise Refusal(f"The same call was made less than {seconds} seconds ago.", why=Why.CONFLICT)


def first_time(view: ApiView, key: str) -> IdempotencyRecord:
    """The same record, for whoever writes it together with the work where there is none yet."""
    return IdempotencyRecord(**_same(view, key), **NOTHING_KEPT)


def drop_old_records() -> int:
    """Housekeeping: forgets the records of calls that would be taken again. Returns how many."""
    return in_portions(_drop_some, BATCH)


def _drop_some(most: int) -> int:
    # An answer that is kept has a status.
    return drop(IdempotencyRecord.objects.filter(status=0, created__lt=timezone.now() - KEPT).order_by("created"), most)


def _same(view: ApiView, key: str) -> dict[str, Any]:
    return {
        "user": view.caller,
        "program": credentials.program_of(view.request.auth),
        "endpoint": f"{view.tag}, again",
        "key": key,
    }
