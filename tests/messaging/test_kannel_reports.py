"""Delivery reports of Kannel: `dlr-url` is called when what `dlr-mask` names has happened."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from gateways.outcomes import ReceiptState
from messaging import reporting, tasks
from messaging.models import DeliveryReport, Message, State
from messaging.reporting import telling
from messaging.reporting.escapes import filled
from messaging.reporting.kinds import Happened, is_over, next_of
from messaging.reporting.resting import Resting
from messaging.webhooks import schedule
from portal.audit import MASK
from portal.models import AuditEvent, User
from tests.messaging.programs import PHONE, call, key_of
from tests.simulators.own_thread import OwnThread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


class Program(OwnThread):
    """Somebody else's program that is told of its messages; `statuses` are answered first, one each."""

    def __init__(self) -> None:
        super().__init__("program")
        self.statuses: list[int] = []
        self.heard: list[dict[str, str]] = []
        self.asked: list[str] = []

    @asynccontextmanager
    async def listening(self) -> Any:
        app = web.Application()
        app.router.add_get("/dlr", self._hear)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        self.heard.append(dict(parse_qsl(request.query_string, keep_blank_values=True)))
        return web.Response()


@pytest.fixture
def program() -> Iterator[Program]:
    with Program() as running:
        yield running


@pytest.fixture(autouse=True)
def _rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host gave no answer in another test."""
    monkeypatch.setattr(telling, "resting", Resting())


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


def send(key: str, url: str, mask: object = 31, **fields: Any) -> Any:
    report: dict[str, Any] = {"dlr-url": url, "dlr-mask": mask}
    given = {"username": "operator", "password": key, "to": PHONE, "text": "x", "from": "HOTEL", **fields}
    return call("/cgi-bin/sendsms", **given, **report)


def sent(key: str, program: Program, mask: int = 31, query: str = "d=%d") -> Message:
    answer = send(key, f"{program.url}/dlr?{query}", mask)
    assert answer.status_code == 202, answer.content
    return Message.objects.latest("pk")


def becomes(message: Message, state: State, **columns: Any) -> None:
    Message.objects.filter(pk=message.pk).update(state=state, **columns)


def tell(**time: float) -> None:
    """What a worker does once so much time has gone by."""
    shift = timedelta(**(time or {"seconds": 2}))
    DeliveryReport.objects.update(due_at=F("due_at") - shift, made=F("made") - shift)
    Message.objects.update(valid_until=F("valid_until") - shift)
    tasks.report(0)


def kinds(program: Program) -> list[str]:
    return [one["d"] for one in program.heard]


class TestWhatIsTold:
    def test_each_thing_once_in_its_order(self, key: str, program: Program) -> None:
        message = sent(key, program)
        tell()
        assert kinds(program) == []
        becomes(message, State.SUBMITTED, submitted_at=timezone.now())
        tell()
        tell()
        assert kinds(program) == ["8"]
        becomes(message, State.DELIVERED, finished_at=timezone.now())
        tell(minutes=1)
        assert kinds(program) == ["8", "1"]
        assert not DeliveryReport.objects.exists()

    @pytest.mark.parametrize(
        ("state", "mask", "told"),
        [
            (State.DELIVERED, 31, ["8", "1"]),
            (State.DELIVERED, 19, ["1"]),
            (State.DELIVERED, 2, []),
            (State.UNDELIVERED, 3, ["2"]),
            (State.EXPIRED, 31, ["8", "2"]),
            (State.FAILED, 31, ["16"]),
            (State.FAILED, 3, []),
            (State.LAPSED, 16, ["16"]),
            (State.CANCELLED, 16, ["16"]),
            (State.SUPPRESSED, 16, ["16"]),
        ],
    )
    def test_what_the_mask_names_and_no_more(
        self, key: str, program: Program, state: State, mask: int, told: list[str]
    ) -> None:
        becomes(sent(key, program, mask), state, finished_at=timezone.now())
        tell()
        assert kinds(program) == told
        assert not DeliveryReport.objects.exists()

    @pytest.mark.parametrize("state", [State.NO_RECEIPT, State.UNRESOLVED, State.QUEUED])
    def test_where_more_may_be_known_later_it_goes_on_looking_for_days(
        self, key: str, program: Program, state: State
    ) -> None:
        message = sent(key, program, 19)
        becomes(message, state)
        tell()
        assert (kinds(program), DeliveryReport.objects.count()) == ([], 1)
        tell(days=4)
        becomes(message, State.DELIVERED)
        tell(minutes=6)
        assert kinds(program) == ["1"]

    def test_after_days_of_nothing_it_ends(self, key: str, program: Program) -> None:
        becomes(sent(key, program, 3), State.NO_RECEIPT)
        tell(days=7)
        assert not DeliveryReport.objects.exists()

    def test_days_in_which_it_waits_for_its_time_do_not_count(self, key: str, program: Program) -> None:
        assert send(key, f"{program.url}/dlr?d=%d", deferred=6 * 24 * 60).status_code == 202
        tell(days=5.5)
        becomes(Message.objects.get(), State.DELIVERED)
        tell(days=0.5)
        tell()
        assert kinds(program) == ["8", "1"]

    def test_every_receiver_has_one(self, key: str, program: Program) -> None:
        send(key, f"{program.url}/dlr?p=%p&d=%d", 8, to=f"{PHONE} 79161234568")
        Message.objects.update(state=State.SUBMITTED)
        tell()
        assert sorted(one["p"] for one in program.heard) == [PHONE, "+79161234568"]

    def test_it_is_asked_for_by_the_names_of_early_versions_too(self, key: str, program: Program) -> None:
        who = {"username": "operator", "password": key, "to": PHONE, "text": "x"}
        call("/cgi-bin/sendsms", **who, dlrmask="16", dlrurl=f"{program.url}/dlr?d=%d")
        call("/cgi-bin/sendsms", **who, **{"dlr-mask": "16", "dlrmask": "1", "dlr-url": f"{program.url}/dlr?d=2%d"})
        Message.objects.update(state=State.FAILED)
        tell()
        assert sorted(kinds(program)) == ["16", "216"]
        assert AuditEvent.objects.latest("pk").request["dlr-url"] == MASK

    @pytest.mark.parametrize("mask", ["", "0", "x", "4", "32", "-1"])
    def test_without_a_mask_of_ours_nothing_is_told(self, key: str, program: Program, mask: str) -> None:
        assert send(key, f"{program.url}/dlr", mask).status_code == 202
        assert not DeliveryReport.objects.exists()


class TestItsAddress:
    def test_every_escape_is_filled_in(self, key: str, program: Program) -> None:
        query = "d=%d&T=%T&t=%t&p=%p&P=%P&A=%A&F=%F&i=%i&I=%I&n=%n&C=%C&pct=%%&x=%x"
        message = sent(key, program, 8, query)
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        becomes(message, State.SUBMITTED, submitted_at=at, reference="a b&c")
        tell()
        assert program.heard == [
            {
                "d": "8", "T": str(int(at.timestamp())), "t": "2026-11-22 12:00:00", "p": PHONE, "P": "HOTEL",
                "A": "ACK/", "F": "a b&c", "i": "sandbox", "I": str(message.pk), "n": "operator", "C": "UTF-8",
                "pct": "%", "x": "%x",
            }
        ]  # fmt: skip

    def test_why_it_failed_is_told_without_a_phone(self, key: str, program: Program) -> None:
        becomes(sent(key, program, 16, "A=%A"), State.FAILED, reason=f"no route to {PHONE}")
        tell()
        assert program.heard == [{"A": "NACK/no route to +7916•••••67"}]

    def test_what_is_filled_in_cannot_break_out(self) -> None:
        assert filled("http://a/?x=%A&y=%%d", {"A": "1&y=2#\r\n "}) == "http://a/?x=1%26y%3D2%23%0D%0A+&y=%d"
        assert filled("http://a/?x=%", {"A": "1"}) == "http://a/?x=%"

    @pytest.mark.parametrize(
        "url", ["ftp://a/", "/dlr", "http://", "http://u:p@a/", "http://a:0/", "http://a b/", "http://a/" + "x" * 500]
    )
    def test_one_that_is_none_is_misformed(self, key: str, url: str) -> None:
        answer = send(key, url)
        assert (answer.status_code, answer.content) == (400, b"DLR-URL field misformed, rejected")
        assert not Message.objects.exists()

    def test_less_than_no_mask_is_misformed(self, key: str) -> None:
        assert send(key, "http://a/", -2).content == b"DLR-Mask field misformed, rejected"

    def test_one_in_a_private_network_is_not_called(self, key: str, program: Program, settings: Settings) -> None:
        becomes(sent(key, program), State.FAILED)
        settings.GATEWAY_ALLOWED_NETWORKS = []
        tell()
        assert program.asked == []
        assert DeliveryReport.objects.get().tries == 1

    def test_it_is_kept_encrypted(self, key: str, program: Program) -> None:
        sent(key, program, query="secret=s3cr3t")
        stored = DeliveryReport.objects.extra(select={"raw": "url"}).values_list("raw", flat=True).get()
        assert "s3cr3t" not in str(stored)


class TestAtLeastOnce:
    def test_a_program_that_is_down_is_told_later(self, key: str, program: Program) -> None:
        becomes(sent(key, program), State.FAILED)
        program.statuses = [500, 302]
        tell()
        tell()
        assert len(program.asked) == 1
        tell(seconds=6)
        tell(minutes=6)
        assert (len(program.asked), kinds(program)) == (3, ["16"])
        assert not DeliveryReport.objects.exists()

    def test_one_that_stays_down_is_given_up(self, key: str, program: Program) -> None:
        becomes(sent(key, program), State.FAILED)
        program.statuses = [500] * 100
        for _ in range(len(schedule.PAUSES) + 2):
            tell(hours=30)
        assert len(program.asked) == len(schedule.PAUSES)
        assert not DeliveryReport.objects.exists()

    def test_what_a_dead_worker_had_is_told_by_another(self, key: str, program: Program) -> None:
        becomes(sent(key, program), State.FAILED)
        DeliveryReport.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert telling._claim()[1]
        tasks.report(0)
        assert kinds(program) == []
        tell(minutes=1)
        assert kinds(program) == ["16"]

    def test_a_worker_that_comes_late_writes_nothing(self, key: str, program: Program) -> None:
        becomes(sent(key, program), State.FAILED)
        DeliveryReport.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        ((late, happened),) = telling._claim()[1]
        DeliveryReport.objects.update(epoch=F("epoch") + 1)
        telling._done(late, happened)
        assert DeliveryReport.objects.get().told == 0

    def test_it_is_in_nobodys_way(self, key: str, program: Program) -> None:
        message = sent(key, program)
        program.statuses = [500] * 10
        becomes(message, State.SUBMITTED)
        tell()
        assert Message.objects.get(pk=message.pk).record_receipt(ReceiptState.DELIVERED)

    def test_the_sweep_rings_for_what_is_due(self, key: str, program: Program, bells: list[Any]) -> None:
        sent(key, program)
        tasks._ring_for_reports()
        assert ("messaging.tasks.report", (0,)) not in bells
        DeliveryReport.objects.update(due_at=timezone.now())
        tasks._ring_for_reports()
        assert ("messaging.tasks.report", (0,)) in bells


def test_what_is_told_next() -> None:
    assert next_of(State.DELIVERED, 31, 0) is Happened.SUBMITTED
    assert next_of(State.DELIVERED, 31, 8) is Happened.DELIVERED
    assert next_of(State.DELIVERED, 31, 9) is None
    assert next_of(State.QUEUED, 31, 0) is None
    assert is_over(State.SUBMITTED, 8, 8)
    assert not is_over(State.SUBMITTED, 9, 8)
    assert reporting.WANTED == 27
