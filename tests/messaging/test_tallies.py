"""Tallies: whatever becomes of a message, its hour and its day say so after the next turn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from gateways.outcomes import ReceiptState
from messaging import sending, tallies, times
from messaging.calendar import HOUR, day_of, hour_of, hours_between, month_of, next_day
from messaging.figures import Figures
from messaging.models import FINAL, Batch, Message, Span, State, Taken, Tally, TallyProgress
from messaging.retries import ClearUp, Kind
from messaging.tallies import keep_tallies
from tests.messaging.conftest import Send, fresh

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def made(gateway: Gateway, state: str = "queued", created: datetime = NOON, **changes: object) -> Message:
    """A message as if it had come this far by itself."""
    ended = {"finished_at": created + timedelta(seconds=8)} if state in FINAL else {}
    waits = {"due_at": created if state in {"queued", "held"} else None}
    return Message.objects.create(
        **{
            "kind": Kind.INFORMATION, "priority": 3, "phone": "+79161234567", "gateway": gateway, "text": "Привет",
            "encoding": "UCS-2", "segments": 1, "created": created, "valid_until": created + timedelta(hours=24),
            "state": state, "submitted_at": created + timedelta(seconds=1),
        }
        | waits | ended | changes
    )  # fmt: skip


def told(span: Span = Span.HOUR) -> dict[str, int]:
    """Messages by state, as all tallies of this span have them."""
    found: dict[str, int] = {}
    for row in Tally.objects.filter(span=span):
        found[row.state] = found.get(row.state, 0) + row.messages
    return found


def counted_in_truth() -> dict[str, int]:
    """The same from the messages."""
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def assert_true() -> None:
    """Hours and days say what the messages say."""
    assert told(Span.HOUR) == told(Span.DAY) == counted_in_truth()


def test_messages_are_counted_by_hour_gateway_kind_and_state(sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            made(sandbox, "delivered")
        made(sandbox, "delivered", kind=Kind.CODE)
        made(other, "failed", created=NOON - HOUR)
        keep_tallies()
    rows = Tally.objects.filter(span=Span.HOUR).order_by("start", "kind")
    assert list(rows.values_list("start", "gateway", "kind", "state", "messages")) == [
        (datetime(2026, 3, 10, 8, tzinfo=UTC), other.pk, "information", "failed", 1),
        (datetime(2026, 3, 10, 9, tzinfo=UTC), sandbox.pk, "code", "delivered", 1),
        (datetime(2026, 3, 10, 9, tzinfo=UTC), sandbox.pk, "information", "delivered", 2),
    ]
    assert_true()


CHANGES: dict[str, tuple[str, Callable[[Message], object]]] = {
    "taken": ("submitting", lambda it: it.mark_submitted(Taken("r"), expects_receipt=True, may_ask=False)),
    "taken where no receipt comes": (
        "submitting",
        lambda it: it.mark_submitted(Taken("r"), expects_receipt=False, may_ask=False),
    ),
    "to be tried again": ("claimed", lambda it: it.postpone("busy", timedelta(seconds=5))),
    "held": ("claimed", lambda it: it.hold("no funds")),
    "released": ("claimed", lambda it: it.release()),
    "failed": ("claimed", lambda it: it.fail("refused")),
    "unclear, looked up": ("submitting", lambda it: it.mark_unclear("?", ClearUp.LOOK_UP, settle=timedelta())),
    "unclear, for a person": ("submitting", lambda it: it.mark_unclear("?", ClearUp.PERSON, settle=timedelta())),
    "absent": ("unknown", lambda it: it.mark_absent()),
    "found": ("unknown", lambda it: it.mark_submitted(Taken("r"), expects_receipt=True, may_ask=False)),
    "delivered": ("submitted", lambda it: it.record_receipt(ReceiptState.DELIVERED)),
    "not delivered": ("submitted", lambda it: it.record_receipt(ReceiptState.UNDELIVERED)),
    "expired": ("submitted", lambda it: it.record_receipt(ReceiptState.EXPIRED)),
    "unconfirmed": ("submitted", lambda it: it.record_receipt(ReceiptState.UNCONFIRMED)),
    "delivered after all": ("no_receipt", lambda it: it.record_receipt(ReceiptState.DELIVERED)),
    "delivered though unresolved": ("unresolved", lambda it: it.record_receipt(ReceiptState.DELIVERED)),
    "cancelled": ("queued", lambda it: it.cancel(None)),
    "cancelled while held": ("held", lambda it: it.cancel(None)),
    "claimed": ("queued", lambda it: Message.take([it], timezone.now() + HOUR)),
    "suppressed": ("queued", lambda it: Message.suppress_waiting(it.phone, "STOP")),
    "lapsed": ("queued", lambda it: Message.lapse_overdue(it.valid_until)),
    "silent": ("submitted", lambda _: Message.end_silence(timezone.now())),
    "unclear for too long": ("unknown", lambda _: Message.end_silence(timezone.now())),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("later", [timedelta(seconds=20), timedelta(days=3)], ids=["at once", "three days later"])
def test_each_way_in_which_a_message_changes_moves_its_tally(sandbox: Gateway, name: str, later: timedelta) -> None:
    begin, change = CHANGES[name]
    with time_machine.travel(NOON, tick=False) as clock:
        message = made(sandbox, begin)
        made(sandbox, "delivered", created=NOON - 3 * HOUR)
        keep_tallies()
        assert told()[begin] >= 1
        clock.shift(later)
        change(message)
        assert fresh(message).state != begin
        clock.shift(timedelta(seconds=30))
        keep_tallies()
        assert_true()


def test_a_message_that_went_elsewhere_is_counted_there(sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    message = made(sandbox, created=timezone.now())
    keep_tallies()
    Message.move_waiting([message], other)
    keep_tallies()
    assert Tally.objects.get(span=Span.HOUR).gateway == other
    assert Tally.objects.get(span=Span.DAY).gateway == other


def test_a_resend_is_a_message_of_its_own(send: Send) -> None:
    first = send()
    Message.objects.filter(pk=first.pk).update(state=State.FAILED, finished_at=timezone.now(), due_at=None)
    keep_tallies()
    sending.resend(fresh(first), requested_by=None)
    keep_tallies()
    assert told() == told(Span.DAY) == {"failed": 1, "queued": 1}


def test_a_change_that_was_committed_late_is_found(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        message = made(sandbox, "submitted")
        keep_tallies()
        clock.shift(timedelta(minutes=10))
        at = timezone.now()
        made(sandbox, "delivered", created=at)
        keep_tallies()
        # Its worker's clock was read before the turn, and its transaction ended after it.
        Message.objects.filter(pk=message.pk).update(state="delivered", finished_at=at - timedelta(seconds=90))
        clock.shift(timedelta(minutes=1))
        keep_tallies()
        assert_true()


def test_counting_again_writes_nothing(sandbox: Gateway) -> None:
    made(sandbox, "delivered", created=timezone.now())
    keep_tallies()
    before = list(Tally.objects.values())
    keep_tallies()
    assert list(Tally.objects.values()) == before


def test_where_nothing_changed_for_long_no_turn_is_taken(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        made(sandbox, "delivered")
        keep_tallies()
        clock.shift(timedelta(minutes=10))
        keep_tallies()
        turn = TallyProgress.now().turn
        clock.shift(timedelta(minutes=10))
        with CaptureQueriesContext(connection) as queries:
            keep_tallies()
    assert TallyProgress.now().turn == turn
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_two_workers_do_not_count_at_once(sandbox: Gateway) -> None:
    made(sandbox, "delivered", created=timezone.now())
    assert TallyProgress.take_turn(timezone.now(), tallies.LEASE)
    keep_tallies()
    assert not Tally.objects.exists()


def test_a_worker_that_was_frozen_writes_nothing(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    message = made(sandbox, "submitted", created=now)
    count = tallies.counted

    def freeze(hour: datetime) -> list[Tally]:
        """Counts, and is overtaken by another worker before it has written."""
        rows = count(hour)
        monkeypatch.setattr(tallies, "counted", count)
        message.record_receipt(ReceiptState.DELIVERED)
        TallyProgress.objects.update(busy_until=now - timedelta(seconds=1))
        keep_tallies()
        return rows

    monkeypatch.setattr(tallies, "counted", freeze)
    keep_tallies()
    assert told() == told(Span.DAY) == {"delivered": 1}
    assert TallyProgress.now().turn == 2


def test_a_worker_that_died_is_replaced_when_its_lease_is_over(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        made(sandbox, "delivered")
        TallyProgress.take_turn(timezone.now(), tallies.LEASE)
        clock.shift(tallies.LEASE)
        keep_tallies()
    assert_true()


def test_a_day_is_added_up_though_a_worker_died_between_the_hour_and_the_day(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        message = made(sandbox, "submitted")
        keep_tallies()
        message.record_receipt(ReceiptState.DELIVERED)
        tallies.count_hour(TallyProgress.now(), hour_of(message.created))
        assert told(Span.DAY) == {"submitted": 1}
        clock.shift(tallies.LEASE)
        keep_tallies()
        assert_true()


def test_history_is_counted_in_parts_the_latest_first(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "SOME", 2)
    with time_machine.travel(NOON, tick=False) as clock:
        for hours in (0, 1, 30, 24 * 200, 24 * 400):
            made(sandbox, "delivered", created=NOON - hours * HOUR)
        sums = []
        for _ in range(3):
            keep_tallies()
            sums.append(sum(told().values()))
            clock.shift(timedelta(minutes=1))
        assert sums == [2, 4, 5]
        assert_true()


def test_a_late_change_of_history_that_is_not_counted_yet_waits_for_its_turn(
    sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "SOME", 1)
    with time_machine.travel(NOON, tick=False) as clock:
        old = made(sandbox, "no_receipt", created=NOON - 48 * HOUR)
        made(sandbox, "delivered", created=NOON)
        keep_tallies()
        old.record_receipt(ReceiptState.DELIVERED)
        clock.shift(timedelta(minutes=1))
        keep_tallies()
        keep_tallies()
        assert_true()


def test_costs_are_segments_that_a_provider_took_at_the_price_of_their_hour(sandbox: Gateway) -> None:
    Gateway.objects.filter(pk=sandbox.pk).update(segment_price="2.50", currency="RUB")
    with time_machine.travel(NOON, tick=False) as clock:
        made(sandbox, "delivered", segments=3)
        made(sandbox, "failed", segments=5)
        late = made(sandbox, "submitted", segments=2)
        keep_tallies()
        Gateway.objects.filter(pk=sandbox.pk).update(segment_price="9.00", currency="USD")
        clock.shift(timedelta(days=1))
        made(sandbox, "delivered", created=timezone.now(), segments=1)
        late.record_receipt(ReceiptState.DELIVERED)
        keep_tallies()
    rows = Tally.objects.filter(span=Span.DAY).order_by("start", "state")
    assert list(rows.values_list("state", "segments", "cost", "currency")) == [
        ("delivered", 5, Decimal("12.50"), "RUB"),
        ("failed", 5, Decimal(0), "RUB"),
        ("delivered", 1, Decimal("9.00"), "USD"),
    ]


def test_without_a_price_nothing_is_said_of_costs(sandbox: Gateway) -> None:
    made(sandbox, "delivered", segments=3, created=timezone.now())
    keep_tallies()
    [bill] = Figures().bills
    assert (bill.segments, bill.costs, bill.unpriced) == (3, {}, 3)


def test_times_to_delivery_are_read_within_a_bucket(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False):
        for tenths in range(1, 1001):
            made(sandbox, "delivered", finished_at=NOON + timedelta(seconds=tenths / 10))
        keep_tallies()
        period = Figures().day
    assert period.time_to_delivery(0.5) == pytest.approx(50, rel=0.02)
    assert period.time_to_delivery(0.95) == pytest.approx(95, rel=0.02)


def test_what_was_sent_at_a_later_time_is_as_fast_as_from_that_time(sandbox: Gateway) -> None:
    batch = Batch.objects.create(name="b", scheduled_for=NOON + timedelta(days=3))
    arrived = NOON + timedelta(days=3, seconds=2)
    made(sandbox, "delivered", finished_at=arrived, batch=batch)
    hour = tallies.counted(NOON.replace(minute=0))
    assert times.quantile(times.together(row.times for row in hour), 0.5) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1, 7.7, 42, 600, 86_400, 250_000])
def test_a_single_time_is_off_by_a_sixth_at_most(seconds: float) -> None:
    found = times.quantile({times.bucket(seconds): 1}, 0.5)
    assert found == pytest.approx(seconds, rel=0.16, abs=0.1)


def test_times_that_no_bucket_holds_do_no_harm() -> None:
    assert times.quantile({}, 0.5) is None
    assert times.quantile({times.bucket(-3): 2}, 0.5) == pytest.approx(0.05)
    assert times.quantile({times.bucket(10**9): 1}, 0.5) == times.EDGES[-1]


def test_a_message_sent_a_second_ago_shows(sandbox: Gateway) -> None:
    made(sandbox, "delivered", created=timezone.now() - 2 * HOUR)
    keep_tallies()
    made(sandbox, "queued", created=timezone.now())
    figures = Figures()
    assert figures.day.messages() == figures.month.messages() == 2


def test_what_no_worker_has_counted_yet_shows_all_the_same(sandbox: Gateway) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        made(sandbox, "delivered")
        keep_tallies()
        for _ in range(4):
            clock.shift(HOUR)
            made(sandbox, "queued", created=timezone.now())
        figures = Figures()
        assert figures.day.messages() == figures.month.messages() == 5
        assert figures.this_month.messages(State.QUEUED) == 4


def test_days_are_those_of_the_portal_s_zone(sandbox: Gateway, settings: Settings) -> None:
    evening = datetime(2026, 3, 10, 20, 30, tzinfo=UTC)
    with time_machine.travel(evening + HOUR, tick=False) as clock:
        made(sandbox, "delivered", created=evening)
        made(sandbox, "delivered", created=evening + HOUR)
        keep_tallies()
        days = Tally.objects.filter(span=Span.DAY).order_by("start")
        midnight = datetime(2026, 3, 10, 21, tzinfo=UTC)
        assert [row.start for row in days] == [midnight - timedelta(days=1), midnight]
        settings.TIME_ZONE = "UTC"
        clock.shift(timedelta(hours=1))
        keep_tallies()
        assert list(days.values_list("start", "messages")) == [(datetime(2026, 3, 10, tzinfo=UTC), 2)]


@pytest.mark.parametrize(
    "zone", ["Europe/Moscow", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns"]
)
def test_days_are_whole_hours_that_follow_each_other_in_every_zone(settings: Settings, zone: str) -> None:
    settings.TIME_ZONE = zone
    day = day_of(datetime(2026, 1, 1, 12, tzinfo=UTC))
    for _ in range(366):
        end = next_day(day)
        assert end - day in {23 * HOUR, 24 * HOUR, 25 * HOUR}
        assert day == hour_of(day)
        assert {day_of(hour) for hour in hours_between(day, end)} == {day}
        assert timezone.localtime(month_of(day), timezone.get_default_timezone()).day == 1
        day = end


def test_changed_messages_are_found_by_an_index(sandbox: Gateway) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A planner that sees a small table reads all of it.
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "message_finished" in Message.objects.filter(finished_at__gte=timezone.now()).order_by().explain()
