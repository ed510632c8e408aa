"""Celery: load, call once, nothing else. A task carries ids; a lost, repeated or flushed one changes nothing."""

from collections.abc import Callable

from celery import shared_task

from gateways.changes import Change
from messaging import bells, claiming, delivery, failover, inbound, receipts, recovery, reporting, ringing
from messaging.drains import fetches
from messaging.models import Message, outbox
from messaging.webhooks import delivering, gateways_told
from portal import health
from portal.faults import Point, reach
from portal.turns import Turn


@shared_task
def drain(gateway_id: int) -> None:
    """Hands over what is due at one gateway."""
    delivery.drain(gateway_id)


@shared_task
def ask(gateway_id: int) -> None:
    """Asks one gateway what became of messages, and about unclear ones."""
    recovery.inquire(gateway_id)


@shared_task
def fetch(gateway_id: int) -> None:
    """Asks one gateway what guests wrote."""
    if fetches.begin(gateway_id):
        try:
            inbound.fetch(gateway_id)
        finally:
            fetches.abandon(gateway_id)


@shared_task
def deliver(webhook_id: int) -> None:
    """Tells one webhook what is due."""
    delivering.deliver(webhook_id)


@shared_task
def report(_key: int) -> None:
    """Tells programs of Kannel what became of their messages."""
    reporting.tell_due()


@shared_task
def sweep() -> None:
    """Every second: rings for what is due, frees what dead workers held, and ends what is overdue."""
    sweeping.take()


def _sweep() -> None:
    failures = [error for step in (*RINGING, recovery.recover, _beat) if (error := _failure_of(step))]
    if failures:
        # Each step had its turn; now the worker's log may say what was wrong.
        raise failures[0]


def _failure_of(step: Callable[[], object]) -> Exception | None:
    """What stopped this step; it must not stop the others."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 — a database that is busy, or a provider's file
        return error
    return None


def _move_away() -> None:
    for gateway_id in failover.move_away():
        bells.ring(gateway_id)


def _ring_for_due() -> None:
    for gateway_id in claiming.gateways_with_due():
        bells.ring(gateway_id)


def _ring_for_questions() -> None:
    for gateway_id in receipts.gateways_to_ask():
        bells.publish(ask.name, gateway_id)


def _ring_for_inbound() -> None:
    for gateway_id in inbound.due_to_fetch():
        bells.publish(fetch.name, gateway_id)


def _ring_for_webhooks() -> None:
    for webhook_id in delivering.due():
        bells.publish(outbox.DELIVER, webhook_id)


def _ring_for_reports() -> None:
    if reporting.is_due():
        bells.publish(report.name, 0)


def _beat() -> None:
    health.beat(health.process_name())


RINGING = (_move_away, _ring_for_due, _ring_for_questions, _ring_for_inbound, _ring_for_webhooks, _ring_for_reports)
#: After an outage a second's worth of sweeps waits for each second of it, and one sweep sees all there is.
sweeping = Turn(_sweep, patience=10.0)


def ring_for(*gateway_ids: int) -> None:
    """Rings for messages just committed at these gateways, however many there are."""
    reach(Point.ACCEPTED)
    for gateway_id in gateway_ids:
        ringing.ring_soon(gateway_id)


def gateway_changed(gateway_id: int, change: Change) -> None:
    """Listens to gateways: what waited for one that is well goes out, what waits for one that is not goes elsewhere.

    A gateway that recovers by itself releases nothing before its time: a message that was held for a fault of its own
    would bring the fault back with every good answer.
    """
    if change is Change.SETTINGS:
        Message.release_held(gateway_id)
    if change in {Change.SETTINGS, Change.RECOVERED}:
        ringing.ring_soon(gateway_id)
    elif change in {Change.PAUSED, Change.REFUSED}:
        for other_id in failover.move_away():
            ringing.ring_soon(other_id)


def gateway_told(gateway_id: int, _change: Change) -> None:
    """Listens to gateways for webhooks."""
    gateways_told.look(gateway_id)
