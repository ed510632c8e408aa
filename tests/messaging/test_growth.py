"""However long the history grows, nothing that runs for a message or every second reads more of it than before.

What each statement reads is counted by the database itself: PostgreSQL says how many rows it looked at, SQLite how many
instructions it took.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import NotSent, Outcome, Receipt, ReceiptState
from gateways.providers.sandbox import Provider
from gateways.transport import Landing
from messaging import claiming, failover, receipts, recovery, retention, sending, tallies, tasks
from messaging.metrics import families
from messaging.models import Attempt, DeliveryEvent, Message, State, TallyProgress
from messaging.retries import Kind
from messaging.settling import settle
from tests.messaging.conftest import begin

pytestmark = pytest.mark.django_db

#: What grows for ever.
GROWING = ("messaging_message", "messaging_attempt", "messaging_deliveryevent", "messaging_step")
#: So many messages of the past are made by doubling a few of them so often.
FEW, DOUBLINGS = 125, 9
#: What one statement may take, in rows and in instructions. To walk through the 64,000 rows takes as many, and 192,000.
#: Before a history so short that a walk is the best way, PostgreSQL takes that, and rightly.
MOST_ROWS, MOST_INSTRUCTIONS = 1000, 30_000
#: What an UPDATE may take for each row that it is meant to write, with all the indexes in which that stands.
ROWS_EACH, INSTRUCTIONS_EACH = 2, 250
WAITING, PHONE = 30, "+79169999999"


@pytest.fixture
def history(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway through which much has gone, evenly over 125 days, and which can burst; others may stand in for it."""
    monkeypatch.setattr(Provider, "alone", False)
    now = timezone.now()
    without_what_others_left()
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=1000)
    Gateway.objects.filter(pk=sandbox.pk).update(max_in_flight=1000, rate_per_second=1000)
    Message.objects.bulk_create(
        _message(
            sandbox, place, state=State.DELIVERED, due_at=None, text=None, reference=f"r{place}",
            created=(at := now - timedelta(days=1 + place)), valid_until=at, submitted_at=at, finished_at=at,
        )
        for place in range(FEW)
    )  # fmt: skip
    for _ in range(DOUBLINGS):
        _write_again(Message, {})
    first = {"message": Message.objects.earliest("pk"), "gateway": sandbox, "reference": "r", "reference_key": "r"}
    Attempt.objects.create(epoch=1, key="k", outcome=Outcome.ACCEPTED, **first)
    DeliveryEvent.objects.create(state=ReceiptState.DELIVERED, **first)
    for model in (Attempt, DeliveryEvent):
        _write_again(model, {"message_id": "messaging_message.id"}, "messaging_message.id <> message_id")
    while not tallies._is_all_counted(TallyProgress.now()):
        tallies.keep_tallies()
    _analyse()
    return Gateway.objects.get(pk=sandbox.pk)


def _message(gateway: Gateway, place: int = 0, **values: Any) -> Message:
    now = timezone.now()
    given = {"due_at": now, "valid_until": now + timedelta(hours=10), "text": "Wi-Fi is back", **values}
    phone = f"+7916{place:07}"
    return Message(
        kind=Kind.INFORMATION, priority=3, phone=phone, gateway=gateway, segments=1, encoding="GSM-7", **given
    )


def _write_again(model: type[models.Model], instead: dict[str, str], where: str = "TRUE") -> None:
    """All rows once more; with another expression for some columns, once for each message."""
    table = model._meta.db_table
    columns = [str(one.column) for one in model._meta.concrete_fields if not (one.primary_key or one.generated)]
    values = [instead.get(column, f"{table}.{column}") for column in columns]
    source = table if not instead else f"{table}, messaging_message"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source} WHERE {where}"
        )


def without_what_others_left() -> None:
    """Rows that earlier tests rolled back stand in PostgreSQL's indexes until a vacuum, and count as looked at."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(GROWING)} CASCADE")


def _analyse() -> None:
    """PostgreSQL's autovacuum does so by itself; on SQLite nobody ever does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


class Watch:
    """Looks at each statement before it is made: which of them read too much of what grows.

    `written` is how many rows an UPDATE is meant to write: that takes more the more there are. No SELECT may.
    """

    def __init__(self, written: int = 0) -> None:
        self.written = written
        self.guilty: list[str] = []
        self._looking = False

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not self._looking and sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH")) and _grows(sql):
            self._looking = True
            try:
                self._look(sql, params)
            finally:
                self._looking = False
        return execute(sql, params, many, context)

    def _look(self, sql: str, params: Any) -> None:
        count, most, each = (
            (_of_postgresql, MOST_ROWS, ROWS_EACH)
            if connection.vendor == "postgresql"
            else (_of_sqlite, MOST_INSTRUCTIONS, INSTRUCTIONS_EACH)
        )
        if sql.startswith("UPDATE"):
            most = max(most, each * self.written)
        with transaction.atomic(), connection.cursor() as cursor:
            found = count(cursor, sql, params)
            transaction.set_rollback(True)
        if found > most:
            self.guilty.append(f"{found}: {sql[:2000]}")


def _grows(sql: str) -> bool:
    return any(f'"{table}"' in sql for table in GROWING)


def _of_postgresql(cursor: Any, sql: str, params: Any) -> int:
    """Rows that it looked at, whether it wanted them or not, in the scan that looked at most."""
    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
    (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return max(map(_looked_at, _nodes(plan[0]["Plan"])))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _looked_at(node: dict[str, Any]) -> int:
    if node.get("Relation Name", GROWING[0]) not in GROWING or "Scan" not in node["Node Type"]:
        return 0
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int(rows * node["Actual Loops"])


def _of_sqlite(cursor: Any, sql: str, params: Any) -> int:
    """Instructions of its virtual machine, to the nearest hundred, until the last row is there."""
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    connection.connection.set_progress_handler(tick, 100)
    try:
        cursor.execute(sql, params).fetchall()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return 100 * ticks


@contextmanager
def watched(written: int = 0) -> Iterator[None]:
    """Fails where a statement reads too much; `written` rows are to be written."""
    watch = Watch(written)
    with connection.execute_wrapper(watch):
        yield
    assert not watch.guilty, "\n".join(watch.guilty)


def _paused(gateway: Gateway) -> None:
    Gateway.objects.create(name="other", provider="sandbox", priority=9)
    Gateway.objects.filter(pk=gateway.pk).update(enabled=False)
    failover.move_away()


def _accepts(gateway: Gateway) -> None:
    sending.send(phone=PHONE, text="hi", kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)


def _accepts_many(gateway: Gateway) -> None:
    items = [sending.Item(phone=PHONE, text="hi")] * 3
    sending.send_many(items, gateway_name=gateway.name, requested_by=None)


def _sends(gateway: Gateway) -> None:
    claimed, _next_in = claiming.claim(gateway)
    assert len(claimed) >= WAITING
    begun = begin(gateway, claimed)
    nobody = NotSent("nobody there")
    settle([(message, attempt, Landing(attempt.pk, None, nobody)) for message, attempt, _request in begun])


def _hears(gateway: Gateway) -> None:
    receipts.record(gateway, [Receipt(reference="R77", state=ReceiptState.DELIVERED)])


HOT: dict[str, Callable[[Gateway], object]] = {
    "accepting one": _accepts,
    "accepting many": _accepts_many,
    "sending": _sends,
    "who has something due": lambda _: claiming.gateways_with_due(),
    "who is to be asked": lambda _: receipts.gateways_to_ask(),
    "whom to ask about": lambda gateway: receipts.take_turn(gateway, State.SUBMITTED),
    "a receipt": _hears,
    "mending": lambda _: recovery.recover(),
    "moving away": _paused,
    "releasing what was held": lambda gateway: Message.release_held(gateway.pk),
    "a STOP": lambda _: Message.suppress_waiting(PHONE, "stop"),
    "counting": lambda _: tallies.keep_tallies(),
    "metrics": lambda _: list(families()),
    "retention of messages": lambda _: retention.anonymise_messages(),
    "retention of receipts": lambda _: retention.anonymise_events(),
    "a sweep": lambda _: tasks.sweep(),
}


def test_the_history_is_not_read(history: Gateway) -> None:
    now = timezone.now()
    Message.objects.bulk_create(_message(history, place) for place in range(WAITING))
    dead = now - timedelta(seconds=1)
    Message.objects.bulk_create(
        [
            *(_message(history, state=State.CLAIMED, due_at=None, lease_until=dead) for _ in range(3)),
            *(_message(history, state=State.SUBMITTING, due_at=None, lease_until=dead) for _ in range(3)),
            *(_message(history, state=State.SUBMITTED, due_at=None, submitted_at=now, ask_at=now) for _ in range(3)),
            *(_message(history, valid_until=dead) for _ in range(3)),
        ]
    )
    handed_over = Message.objects.filter(state=State.SUBMITTED).earliest("pk")
    Attempt.objects.create(message=handed_over, gateway=history, epoch=1, key="k", reference_key="R77")
    for run in HOT.values():
        with transaction.atomic():
            with watched():
                run(history)
            transaction.set_rollback(True)


def test_a_claim_reads_the_beginning_of_a_long_queue(history: Gateway) -> None:
    Message.objects.bulk_create(_message(history, place) for place in range(5 * MOST_ROWS))
    for _turn in range(2):
        with watched(written=claiming.BATCH), transaction.atomic():
            claimed, _next_in = claiming.claim(history)
            assert len(claimed) == claiming.BATCH
            assert claiming.anything_due(history)
        # A second time with what PostgreSQL learns of such a queue.
        _analyse()
    # One that read all of it to find its beginning would be noticed.
    with pytest.raises(AssertionError, match="SELECT"), watched(written=claiming.BATCH):
        list(claiming._due(history).order_by("phone")[: claiming.BATCH])


def test_reading_the_history_would_be_noticed(history: Gateway) -> None:
    with pytest.raises(AssertionError, match="encoding"), watched():
        Message.objects.filter(encoding="UCS-2").exists()
