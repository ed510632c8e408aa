"""Whose message is it: what is due at a gateway, and taking it under a lease that no other worker shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from gateways import health, pace, routing
from gateways.models import Gateway
from messaging import opt_outs, retries
from messaging.models import LEASED, WAITING, Message
from messaging.retries import Kind
from portal import clock
from portal.faults import Point, reach

#: How many messages one claim takes at the most.
BATCH = 250
#: Seconds for which the pace lets tokens gather, before it is worth while to take them.
HANDFUL = 0.1


def claim(gateway: Gateway) -> tuple[list[Message], float]:
    """Takes the due messages this gateway may send now, under a lease; and says in how many seconds its pace lets more
    go, which is 0 where not its pace keeps them.

    Messages of a higher priority first, then the longest due. Two workers never get the same message: the rows are
    locked where the database can, writers are serial where it cannot, and the epoch fences off latecomers.
    """
    # Looked at without writing first: what waits behind a full gateway is asked about every second.
    if _in_flight(gateway) >= health.limit_by(gateway, health.of(gateway)):
        return [], 0.0
    with transaction.atomic():
        bucket = pace.lock(gateway)
        rows = _next_of(gateway, bucket)
        if rows:
            bucket.take(len(rows))
            lease_until = clock.now() + timedelta(seconds=gateway.timeout) + retries.LEASE_MARGIN
            Message.take(rows, lease_until)
    reach(Point.CLAIMED)
    wait = bucket.wait(urgent=False)
    # A pace that is reached every few milliseconds is no reason to look so often.
    return rows, min(max(wait, HANDFUL), 1.0) if wait else 0.0


def _next_of(gateway: Gateway, bucket: pace.Bucket) -> list[Message]:
    """What is due and finds tokens and places, locked; the last tenth of both is left to codes."""
    limit = health.limit_by(gateway, bucket.health)
    places = limit - _in_flight(gateway)
    most = min(BATCH, places, bucket.allows(urgent=True))
    others = min(places - pace.reserve(limit), bucket.allows(urgent=False))
    if most <= 0:
        return []
    # By their priority as well, which leads the index to them.
    codes_only = {"kind": Kind.CODE, "priority": retries.RULES[Kind.CODE].priority}
    due = _due(gateway).filter(**{} if others > 0 else codes_only)
    rows = _wanted_of(due.select_for_update(skip_locked=True).order_by("priority", "due_at"), most)
    codes = [row for row in rows if row.kind == Kind.CODE]
    return codes + [row for row in rows if row.kind != Kind.CODE][: max(0, others - len(codes))]


def _wanted_of(due: QuerySet[Message], most: int) -> list[Message]:
    """The first of these; where nobody wants them any more, the next."""
    while True:
        with _in_order():
            found = list(due[:most])
        rows = _still_wanted(found)
        if rows or not found:
            return rows


@contextmanager
def _in_order() -> Iterator[None]:
    """PostgreSQL knows little of a queue that comes and goes: it would sort all of it to have its beginning."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        yield
        cursor.execute("SET LOCAL enable_sort = DEFAULT")


def _still_wanted(rows: list[Message]) -> list[Message]:
    """Without information for phones that wrote STOP while it was being accepted, or was in a worker's hands."""
    information = [row for row in rows if row.kind == Kind.INFORMATION and not row.unclear]
    opted = opt_outs.among(row.phone for row in information)
    unwanted = {row.pk for row in information if row.phone in opted}
    if unwanted:
        Message.suppress(unwanted, opt_outs.REASON)
    return [row for row in rows if row.pk not in unwanted]


def anything_due(gateway: Gateway) -> bool:
    """Whether it is worth while to be let in by the provider."""
    # The first entry of the index of what is due is the answer. Asked without an order, or with all the conditions of
    # a claim, PostgreSQL would rather look for it in the table, where the history comes first.
    due = _served(gateway, Message.objects.filter(gateway=gateway, due_at__lte=clock.now()))
    return bool(due.order_by("priority", "due_at").values_list("pk")[:1])


def _due(gateway: Gateway) -> QuerySet[Message]:
    now = clock.now()
    return _served(
        gateway, Message.objects.filter(gateway=gateway, state__in=WAITING, due_at__lte=now, valid_until__gt=now)
    )


def _served(gateway: Gateway, rows: QuerySet[Message]) -> QuerySet[Message]:
    # An unclear attempt is cleared up where it was made, whatever the prefixes have become since.
    return rows.filter(routing.served(gateway) | Q(unclear__gt=0)) if gateway.prefixes else rows


def _in_flight(gateway: Gateway) -> int:
    """How many of its messages workers have now."""
    return Message.objects.filter(gateway=gateway, state__in=LEASED, lease_until__gt=clock.now()).count()


def gateways_with_due() -> list[int]:
    """Gateways that may send and have something to send."""
    gateways = Gateway.objects.select_related("health").filter(enabled=True)
    return [gateway.pk for gateway in gateways if routing.may_be_used(gateway) and anything_due(gateway)]
