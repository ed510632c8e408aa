"""Programs that are down or slow keep no other program waiting for its delivery reports."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import reporting, tasks
from messaging.models import DeliveryReport, Message, State
from messaging.reporting import telling
from messaging.reporting.resting import Resting
from messaging.webhooks import schedule
from tests.messaging.conftest import Send
from tests.simulators.faulty_server import FaultyServer, answers, http

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST = "desk.example.org"
#: Longer than any call.
A_WHILE = 60


class TestRests:
    def test_one_that_gives_no_answer_is_left_alone_ever_longer(self) -> None:
        resting, ends = Resting(), []
        for minutes in (0, 10, 60, 600):
            at = NOW + timedelta(minutes=minutes)
            resting.note(HOST, at, answered=False)
            until = resting.until(HOST, at)
            assert until is not None
            ends.append((until - at).total_seconds())
            assert resting.until(HOST, until) is None
            assert resting.is_tried(HOST)
        assert ends == [5, 60, 300, 300]
        assert resting.until("other.example.org", NOW) is None

    def test_an_answer_ends_it(self) -> None:
        resting = Resting()
        resting.note(HOST, NOW, answered=False)
        resting.note(HOST, NOW, answered=True)
        assert (resting.until(HOST, NOW), resting.is_tried(HOST)) == (None, False)

    def test_hosts_that_nobody_names_any_more_are_forgotten(self) -> None:
        resting = Resting()
        for number in range(10):
            resting.note(f"{number}.example.org", NOW, answered=False)
        resting.note(HOST, NOW + timedelta(hours=1), answered=False)
        assert not any(resting.is_tried(f"{number}.example.org") for number in range(10))


@pytest.fixture
def resting(monkeypatch: pytest.MonkeyPatch) -> Resting:
    resting = Resting()
    monkeypatch.setattr(telling, "resting", resting)
    return resting


@pytest.fixture
def nobody() -> Iterator[str]:
    """Where a program was and is no more."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def wanted(send: Send, host: str, count: int) -> None:
    """So many messages that failed, of which this host is to be told."""
    for _ in range(count):
        reporting.ask(send(), url=f"http://{host}/dlr?d=%d", mask=16)
    Message.objects.update(state=State.FAILED)
    DeliveryReport.objects.update(due_at=timezone.now())


def tries() -> list[int]:
    return sorted(DeliveryReport.objects.values_list("tries", flat=True))


def test_while_a_host_rests_nothing_is_tried_or_lost(send: Send, resting: Resting, nobody: str) -> None:
    wanted(send, nobody, 1)
    tasks.report(0)
    assert tries() == [1]
    wanted(send, nobody, 2)
    resting.note(nobody, timezone.now(), answered=False)
    tasks.report(0)
    assert tries() == [0, 0, 1]
    until = resting.until(nobody, timezone.now())
    assert set(DeliveryReport.objects.filter(tries=0).values_list("due_at", flat=True)) == {until}


def test_when_its_rest_is_over_one_call_finds_out(send: Send, resting: Resting, nobody: str) -> None:
    resting.note(nobody, timezone.now() - timedelta(minutes=1), answered=False)
    wanted(send, nobody, 3)
    tasks.report(0)
    assert tries() == [0, 0, 1]


def test_what_could_not_be_told_for_days_is_given_up(send: Send, resting: Resting, nobody: str) -> None:
    resting.note(nobody, timezone.now() + timedelta(hours=1), answered=False)
    wanted(send, nobody, 1)
    gone_by = schedule.GIVEN_UP_AFTER + timedelta(hours=1)
    DeliveryReport.objects.update(made=F("made") - gone_by)
    Message.objects.update(valid_until=timezone.now() - gone_by)
    tasks.report(0)
    assert not DeliveryReport.objects.exists()


def test_an_address_that_is_none_once_it_is_filled_in_keeps_no_other_waiting(
    send: Send, resting: Resting, nobody: str
) -> None:
    wanted(send, nobody, 1)
    wanted(send, "[fe80::%A]", 1)
    tasks.report(0)
    assert tries() == [1, 1]
    assert resting.is_tried(nobody)


def test_a_slow_program_keeps_no_other_waiting(send: Send, resting: Resting, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers only once the other has been told, and is given up by nobody meanwhile."""
    for name, value in {"SOME": 3, "A_FEW": 3, "MOMENT": 0.05, "BEHIND": timedelta(minutes=2)}.items():
        monkeypatch.setattr(telling, name, value)
    other_is_told = threading.Event()

    def answer_late(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        other_is_told.wait(A_WHILE)
        connection.sendall(http())

    def hear(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        other_is_told.set()
        connection.sendall(http())

    with FaultyServer(answer_late) as slow, FaultyServer(hear) as quick:
        wanted(send, f"127.0.0.1:{slow.port}", 8)
        wanted(send, f"127.0.0.1:{quick.port}", 1)
        tasks.report(0)
        assert (len(slow.requests), len(quick.requests)) == (3, 1)
    # Nobody was called for the others of the slow one, which are neither lost nor tried all the time.
    assert tries() == [0] * 5
    assert not reporting.is_due()
    # As many as are called at once come back first: thousands must not be put off again and again.
    later = timezone.now() + timedelta(minutes=3)
    assert DeliveryReport.objects.filter(due_at__gt=later).count() == 2


def test_what_was_answered_while_the_database_failed_is_told_no_second_time(
    send: Send, resting: Resting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOMENT", 0.05)
    claim, failed, claimed = telling._claim, threading.Event(), list[object]()

    def claim_once() -> object:
        if claimed:
            failed.set()
            raise OperationalError("the database is away")
        claimed.append(claim())
        return claimed[0]

    def answer_late(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        failed.wait(A_WHILE)
        connection.sendall(http())

    monkeypatch.setattr(telling, "_claim", claim_once)
    with FaultyServer(answer_late) as slow:
        wanted(send, f"127.0.0.1:{slow.port}", 1)
        with pytest.raises(OperationalError):
            tasks.report(0)
        assert len(slow.requests) == 1
    assert DeliveryReport.objects.get().told


def test_a_program_that_answers_soon_is_told_all_in_one_go(
    send: Send, resting: Resting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOMENT", A_WHILE)
    with FaultyServer(answers(http())) as program:
        wanted(send, f"127.0.0.1:{program.port}", telling.SOME + telling.A_FEW)
        tasks.report(0)
        assert len(program.requests) == telling.SOME + telling.A_FEW
    assert not DeliveryReport.objects.exists()


def test_many_are_looked_at_in_a_few_statements(send: Send, resting: Resting) -> None:
    wanted(send, HOST, telling.SOME)
    Message.objects.update(state=State.QUEUED)
    with CaptureQueriesContext(connection) as asked:
        assert telling._claim() == (telling.SOME, [])
    assert len(asked) < 10
    assert DeliveryReport.objects.filter(due_at__gt=timezone.now()).count() == telling.SOME
