"""The dashboard: what its queries cost with an empty table and with very many messages, and what keeps them cheap."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Max
from django.test import RequestFactory
from django.utils import timezone

from gateways.models import Gateway
from messaging import tallies
from messaging.calendar import HOUR, hour_of
from messaging.models import Message, Tally, TallyProgress
from portal.admin import dashboard
from portal.models import User
from portal.registry import PANELS

#: How many messages, accepted evenly over the last 30 days. Another number is given by this variable.
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000000"))
DAYS = 30
RUNS = 9
PRICED = "3.20"

#: One statement for all of them: a generator in the database, and figures that differ from row to row.
FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %(count)s),
moments AS (SELECT n, %(start)s + n * %(apart)s AS at, n * 2654435761 %% 1000 AS chance FROM numbers)
INSERT INTO messaging_message (
    kind, priority, phone, recipient_label, gateway_id, only_here, masked_text, encoding, segments, created,
    valid_until, state, epoch, waits_for, reason, failures, unclear, reference, code_digest, submitted_at,
    finished_at, asked
)
SELECT
    CASE n %% 3 WHEN 0 THEN 'code' WHEN 1 THEN 'credentials' ELSE 'information' END, 2,
    '+7916' || substr('0000000' || (n * 7919 %% 10000000), -7), '', %(gateway)s + n %% 3, 0, 'Wi-Fi', 'UCS-2',
    1 + n %% 3, strftime('%%Y-%%m-%%d %%H:%%M:%%f', at), strftime('%%Y-%%m-%%d %%H:%%M:%%f', at + 1),
    CASE WHEN n > %(count)s - %(fresh)s THEN 'submitted' WHEN chance < 900 THEN 'delivered'
         WHEN chance < 960 THEN 'no_receipt' WHEN chance < 985 THEN 'undelivered' WHEN chance < 999 THEN 'failed'
         ELSE 'unresolved' END,
    1, '', '', 0, 0, n, '', strftime('%%Y-%%m-%%d %%H:%%M:%%f', at),
    CASE WHEN n > %(count)s - %(fresh)s THEN NULL
         ELSE strftime('%%Y-%%m-%%d %%H:%%M:%%f', at + (1 + chance * chance / 20000.0) / 86400) END, 0
FROM moments
"""
#: So many still wait for their receipt.
FRESH = MESSAGES // 1000


def report() -> None:
    """Measures and prints; leaves the messages behind."""
    _begin()
    empty = _measured(_look)
    filled_in, built_in = _timed(_fill), _timed(_build)
    rows = [
        ("the page, no message yet", empty),
        (f"the page, {Message.objects.count():,} messages", _measured(_look)),
        ("counting one hour in which something changed", _measured(_count_an_hour)),
        ("the worker's turn, every minute", _measured(_take_a_turn)),
    ]
    print(f"The dashboard, and what keeps it cheap\n  {'':46}{'queries':>12}{'CPU ms in them':>16}{'in all':>9}")
    for name, (queries, inside, cpu) in rows:
        print(f"  {name:46}{queries:12}{inside:16.1f}{cpu:9.1f}")
    print(f"  Filled in {filled_in:.0f} s; the history was counted in {built_in:.0f} s.\n", flush=True)


def _begin() -> None:
    Message.objects.all().delete()
    Gateway.objects.all().delete()
    for number in range(3):
        Gateway.objects.create(
            name=f"g{number}", provider="sandbox", segment_price=PRICED, is_default=not number, priority=number
        )


def _fill() -> None:
    """Without the indexes, which are made at the end: each in its own order, which takes less time."""
    start, end = timezone.now() - timedelta(days=DAYS), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'messaging_message' AND type = 'index'")
        indexes = [(name, sql) for name, sql in cursor.fetchall() if sql]
        for name, _sql in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("SELECT julianday(%s)", [f"{start:%Y-%m-%d %H:%M:%S}"])
        row = cursor.fetchone()
        apart = (end - start) / timedelta(days=1) / MESSAGES
        gateway = Gateway.objects.order_by("pk").values_list("pk", flat=True)[0]
        values = {"count": MESSAGES, "start": row[0], "apart": apart, "gateway": gateway, "fresh": FRESH}
        cursor.execute(FILL, values)
        for _name, sql in indexes:
            cursor.execute(sql)


def _build() -> None:
    """As many turns as the history takes; in a portal one a minute."""
    built_from = None
    while not built_from or built_from != TallyProgress.now().built_from:
        built_from = TallyProgress.now().built_from
        tallies.keep_tallies()


def _look() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User(username="bench", is_superuser=True, is_active=True)
    board = dashboard.board(request)
    assert len(board.panels) == len(PANELS)
    assert not any(panel.failed for panel in board.panels)


def _count_an_hour() -> None:
    """The one that is over: a whole one."""
    progress = TallyProgress.now()
    hour = hour_of(timezone.now()) - HOUR
    Tally.objects.filter(span="hour", start=hour).delete()
    tallies.count_hour(progress, hour)
    progress.write(busy_until=None)


def _take_a_turn() -> None:
    """As if the last one had been when the latest message ended, a minute ago."""
    ended = Message.objects.filter(finished_at__isnull=False)
    TallyProgress.objects.update(seen_until=ended.aggregate(at=Max("finished_at"))["at"])
    tallies.keep_tallies()


def _measured(run: Callable[[], None]) -> tuple[int, float, float]:
    """The number of its queries, and the medians of the milliseconds in them and of CPU in all."""
    run()
    inside: list[float] = []
    cpu: list[float] = []
    for _ in range(RUNS):
        started = time.process_time()
        queries = _watched(run)
        cpu.append(1000 * (time.process_time() - started))
        inside.append(1000 * sum(_again(sql, params) for sql, params in queries if sql.startswith("SELECT")))
    return len(queries), median(inside), median(cpu)


def _watched(run: Callable[[], None]) -> list[tuple[str, Any]]:
    """The queries it makes."""
    made: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        made.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        run()
    return made


def _again(sql: str, params: Any) -> float:
    """Seconds of CPU until its last row is there; SQLite works in this process, and while rows are fetched."""
    with connection.cursor() as cursor:
        started = time.process_time()
        cursor.execute(sql, params).fetchall()
        return time.process_time() - started


def _timed(run: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
