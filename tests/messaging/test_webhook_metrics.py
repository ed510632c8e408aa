"""What webhooks tell `/metrics`."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from messaging import webhooks
from messaging.models import Stop, Webhook, WebhookDelivery
from messaging.webhooks import schedule, upkeep
from portal import counting
from tests.messaging.hooks import deliver_all, let_time_pass, listen, listening
from tests.messaging.test_metrics import scraped
from tests.portal.admin_pages import questions
from tests.servers import free_port
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def tell() -> None:
    webhooks.tell("gateway.up", {"sms_gateway": "main"})


def test_what_waits_is_told_of_each_and_since_when_the_oldest_does(receiver: Receiver) -> None:
    listening(receiver, "gateway.up", "gateway.down")
    listen("gateway.up")
    webhooks.tell("gateway.down", {})
    let_time_pass(seconds=90)
    tell()
    here, there = scraped(webhook="receiver 0"), scraped(webhook="receiver 1")
    assert (here["portal_webhook_deliveries_waiting"], there["portal_webhook_deliveries_waiting"]) == (2, 1)
    assert 90 <= here["portal_webhook_oldest_waiting_seconds"] < 150
    assert there["portal_webhook_oldest_waiting_seconds"] < 90
    Webhook.objects.exclude(name="receiver 0").delete()
    deliver_all()
    found = scraped(webhook="receiver 0")
    assert (found["portal_webhook_deliveries_waiting"], found["portal_webhook_oldest_waiting_seconds"]) == (0, 0)
    assert scraped(webhook="receiver 1") == {}


def test_calls_are_counted_by_what_they_came_to(receiver: Receiver) -> None:
    listening(receiver, "gateway.up")
    silent = listen("gateway.up", url=f"http://127.0.0.1:{free_port()}/")
    receiver.statuses = [500]
    tell()
    deliver_all()
    let_time_pass(seconds=6)
    deliver_all()
    webhooks.test(silent)
    name = "portal_webhook_calls_total"
    assert scraped(webhook="receiver 0", outcome="refused")[name] == 1
    assert scraped(webhook="receiver 0", outcome="delivered")[name] == 1
    assert scraped(webhook="receiver 1", outcome="unanswered")[name] == 3


def test_events_that_nobody_will_be_told_of_are_counted_once(receiver: Receiver) -> None:
    webhook = listening(receiver, "gateway.up", "gateway.down")
    receiver.down = True
    tell()
    WebhookDelivery.objects.update(tries=len(schedule.PAUSES) - 1)
    deliver_all()
    webhooks.test(webhook)
    webhooks.pause(webhook)
    webhooks.tell("gateway.down", {})
    let_time_pass(days=6)
    upkeep.give_up()
    upkeep.give_up()
    # What it is told of no more is lost to it as well, and was no call.
    webhooks.resume(webhook)
    tell()
    webhooks.change(webhook, by=None, events=["gateway.down"])
    deliver_all()
    assert scraped(webhook="receiver 0")["portal_webhook_deliveries_lost_total"] == 3
    assert scraped(webhook="receiver 0", outcome="refused")["portal_webhook_calls_total"] == 2
    assert scraped(webhook="receiver 0", outcome="unanswered") == {}


def test_the_state_of_each_is_told(receiver: Receiver) -> None:
    listen("gateway.up")
    name = "portal_webhook_state"
    assert scraped(webhook="receiver 0", state="ok")[name] == 1
    Webhook.objects.update(paused_because=Stop.FAILING, paused_at="2026-01-01T00:00Z")
    assert scraped(webhook="receiver 0", state="paused")[name] == 1
    assert scraped(webhook="receiver 0", state="ok")[name] == 0


def test_counts_follow_a_webhook_to_its_new_name(receiver: Receiver) -> None:
    listening(receiver, "gateway.up")
    tell()
    deliver_all()
    Webhook.objects.update(name="desk")
    assert scraped(webhook="desk", outcome="delivered") == {"portal_webhook_calls_total": 1}


def test_neither_address_nor_secret_is_told(receiver: Receiver) -> None:
    webhook = listen("gateway.up", url="https://receiver.example.org/canary-4711")
    counting.flush()
    said = Client().get("/metrics").content.decode()
    assert "receiver 0" in said
    assert "canary-4711" not in said
    assert webhook.secret not in said


def test_a_scrape_asks_as_often_however_many_there_are(receiver: Receiver) -> None:
    listen("gateway.up")
    first = len(questions(Client(), "/metrics"))
    for _ in range(3):
        listen("gateway.up")
        tell()
    assert len(questions(Client(), "/metrics")) == first


def test_ages_are_never_negative_where_clocks_differ(receiver: Receiver) -> None:
    listen("gateway.up")
    tell()
    let_time_pass(seconds=timedelta(minutes=-1).total_seconds())
    assert scraped(webhook="receiver 0")["portal_webhook_oldest_waiting_seconds"] == 0
