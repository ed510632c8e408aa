"""What is forgotten of an event while it is being told: nobody trips over it, and nothing of it is left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from messaging import webhooks
from messaging.models import Webhook, WebhookDelivery, WebhookEvent, WebhookTry
from messaging.webhooks import delivering
from messaging.webhooks.calling import Answer
from tests.messaging.hooks import listen

pytestmark = pytest.mark.django_db(transaction=True)

#: Seconds that the one gives the other to get ahead.
A_MOMENT = 0.3


def claimed() -> tuple[Webhook, Answer]:
    """A call that has just been answered, and is not written down yet."""
    webhook = listen("guest.expired")
    webhooks.tell("guest.expired", {"pid": "bob"}, about="guest 1")
    webhooks.tell("guest.expired", {"pid": "eve"}, about="guest 11")
    rows, _not_after = delivering.claim(webhook)
    return webhook, Answer(rows[0], 204, "")


def nothing_of_it_is_left() -> bool:
    left = [str(event.about) for event in WebhookEvent.objects.all()]
    return left == ["guest 11"] and WebhookDelivery.objects.count() == 1 and not WebhookTry.objects.exists()


def test_what_comes_back_later_finds_nothing_to_be_written_to() -> None:
    webhook, answer = claimed()
    assert webhooks.forget_about("guest 1") == 1
    delivering.settle(webhook, [answer])
    assert nothing_of_it_is_left()


def test_what_comes_back_at_this_moment_waits_or_is_gone_as_well() -> None:
    webhook, answer = claimed()
    calls_are_gone, written = threading.Event(), threading.Event()

    def write() -> None:
        calls_are_gone.wait()
        try:
            delivering.settle(webhook, [answer])
        finally:
            written.set()
            connection.close()

    def let_it_write(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("DELETE") and "webhooktry" in sql:
            calls_are_gone.set()
            written.wait(A_MOMENT)
        return done

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            with connection.execute_wrapper(let_it_write):
                assert webhooks.forget_about("guest 1") == 1
        finally:
            calls_are_gone.set()
        writing.result()
    assert nothing_of_it_is_left()


def test_what_is_about_nobody_is_never_meant() -> None:
    listen("gateway.up")
    webhooks.tell("gateway.up", {})
    assert webhooks.forget_about("") == 0
    assert WebhookEvent.objects.count() == 1
