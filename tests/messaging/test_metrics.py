"""What messaging and gateways tell `/metrics` and the system page."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from gateways.models import Gateway, GatewayHealth
from messaging import measures, sending, system
from messaging.models import DeliveryEvent, Message, State
from messaging.retries import Kind
from portal import counting
from tests.portal.admin_pages import a_message, questions

OnCommit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


def scraped(**labels: str) -> dict[str, float]:
    """What a scrape says by name, of the samples with exactly these labels."""
    counting.flush()
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {one.name: one.value for family in families for one in family.samples if one.labels == labels}


def waiting(gateway: Gateway, due_in: float, **changes: Any) -> Message:
    due = timezone.now() + timedelta(seconds=due_in)
    return a_message(gateway, **{"state": State.QUEUED, "due_at": due} | changes)


def test_the_queue_of_each_gateway_is_told(sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    waiting(sandbox, due_in=-90)
    waiting(sandbox, due_in=60)
    lease = timezone.now() + timedelta(seconds=30)
    waiting(sandbox, due_in=0, due_at=None, state=State.CLAIMED, lease_until=lease)
    a_message(sandbox, state=State.DELIVERED, due_at=None)
    waiting(other, due_in=60)
    here, there = scraped(gateway="sandbox"), scraped(gateway="other")
    assert (here["portal_messages_waiting"], here["portal_messages_in_flight"]) == (2, 1)
    assert 90 <= here["portal_oldest_due_seconds"] < 150
    assert (there["portal_messages_waiting"], there["portal_oldest_due_seconds"]) == (1, 0)


def test_what_is_accepted_is_counted_once_it_is_committed(
    sandbox: Gateway, django_capture_on_commit_callbacks: OnCommit
) -> None:
    order: dict[str, Any] = {"phone": "+79161234567", "text": "hi", "gateway_name": "", "requested_by": None}
    sending.send(kind=Kind.INFORMATION, **order)
    with django_capture_on_commit_callbacks(execute=True):
        sending.send(kind=Kind.CODE, **order)
    name = "portal_messages_accepted_total"
    assert name not in scraped(gateway="sandbox", kind="information")
    assert scraped(gateway="sandbox", kind="code")[name] == 1


def test_a_callback_is_counted_by_what_became_of_it(sandbox: Gateway) -> None:
    Client().head(f"/callbacks/{sandbox.pk}/{sandbox.callback_key}/")
    Client().post(f"/callbacks/{sandbox.pk}/guess/")
    name = "portal_callbacks_total"
    assert scraped(gateway="sandbox", result="taken")[name] == 1
    assert scraped(gateway="unknown", result="refused")[name] == 1


def test_a_drain_tells_its_batches(sandbox: Gateway) -> None:
    for size, seconds in ((1, 0.004), (40, 0.2), (100, 20)):
        measures.batch(sandbox.pk, size, seconds)
    measures.settled(sandbox.pk, 0.01)
    found = scraped(gateway="sandbox")
    assert (found["portal_drain_batch_messages_count"], found["portal_drain_batch_messages_sum"]) == (3, 141)
    assert (found["portal_drain_launch_seconds_count"], found["portal_drain_settle_seconds_count"]) == (3, 1)
    assert scraped(gateway="sandbox", le="50.0")["portal_drain_batch_messages_bucket"] == 2
    assert scraped(gateway="sandbox", le="10.0")["portal_drain_launch_seconds_bucket"] == 2
    assert scraped(gateway="sandbox", le="+Inf")["portal_drain_launch_seconds_bucket"] == 3


def test_counts_follow_a_gateway_to_its_new_name_and_end_with_it(sandbox: Gateway) -> None:
    counting.add("attempts", gateway=sandbox.pk, outcome="accepted")
    Gateway.objects.filter(pk=sandbox.pk).update(name="renamed")
    assert scraped(gateway="renamed", outcome="accepted") == {"portal_attempts_total": 1}
    sandbox.delete()
    assert scraped(gateway="renamed", outcome="accepted") == {}


def test_gateways_tell_how_they_fare(sandbox: Gateway) -> None:
    health = GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("12.50"), currency="RUB")
    assert scraped(gateway="sandbox", state="closed")["portal_gateway_breaker"] == 1
    assert scraped(gateway="sandbox", currency="RUB")["portal_gateway_balance"] == 12.5
    health.faults, health.open_until, health.refused_at = 1, timezone.now() + timedelta(minutes=1), timezone.now()
    health.save()
    assert scraped(gateway="sandbox", state="open")["portal_gateway_breaker"] == 1
    assert scraped(gateway="sandbox", state="closed")["portal_gateway_breaker"] == 0
    assert scraped(gateway="sandbox")["portal_gateway_credentials_refused"] == 1


def test_a_scrape_asks_as_often_however_much_there_is(sandbox: Gateway) -> None:
    first = len(questions(Client(), "/metrics"))
    for number in range(3):
        other = Gateway.objects.create(name=f"other {number}", provider="sandbox")
        waiting(other, due_in=-1)
        measures.batch(other.pk, 1, 1)
    counting.flush()
    assert len(questions(Client(), "/metrics")) == first


def test_receipts_that_no_message_knows_are_told(sandbox: Gateway) -> None:
    DeliveryEvent.objects.create(gateway=sandbox, reference="r", state="delivered")
    assert scraped()["portal_receipts_unmatched"] == 1
    line = list(system.lines())[-1]
    assert (line.value, line.state) == ("1", "warning")


def test_the_system_page_says_how_late_receipts_come(sandbox: Gateway, settings: Settings) -> None:
    settings.PORTAL_URL = "https://sms.example.org"
    for seconds in (1, 3, 9000):
        at = timezone.now() - timedelta(seconds=seconds)
        DeliveryEvent.objects.create(gateway=sandbox, reference="r", state="delivered", at=at)
    counting.add("callbacks", gateway=sandbox.pk, result="taken")
    counting.flush()
    door, line, *_rest = system.lines()
    assert door.value == "https://sms.example.org/callbacks/…"
    assert str(line.about) == "sandbox"
    assert "receipts come after 3.0 s" in str(line.value)
    assert "ago" in str(line.value)
    assert line.state == "ok"


def test_receipts_that_come_late_are_looked_at(sandbox: Gateway) -> None:
    at = timezone.now() - timedelta(hours=1)
    DeliveryEvent.objects.create(gateway=sandbox, reference="r", state="delivered", at=at)
    _door, line, *_rest = system.lines()
    assert line.state == "warning"
    assert line.remedy
