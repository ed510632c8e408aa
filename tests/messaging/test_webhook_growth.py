"""However many events were told, nothing that runs for webhooks every second or minute reads more of them."""

import pytest
from django.db import transaction
from django.utils import timezone

from messaging import webhooks
from messaging.models import Delivered, Webhook, WebhookDelivery, WebhookEvent
from messaging.webhooks import delivering, upkeep
from portal.bulk.inserting import insert_copies
from portal.encryption import encrypt
from tests.messaging import test_growth
from tests.messaging.hooks import listen
from tests.messaging.test_growth import _analyse, watched, without_what_others_left

pytestmark = pytest.mark.django_db

TOLD = 20_000


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """One that has been told much, all of which waited once; another one has as much before it."""
    monkeypatch.setattr(test_growth, "GROWING", ("messaging_webhookdelivery", "messaging_webhookevent"))
    without_what_others_left()
    told, waits = listen("gateway.up"), listen("gateway.up")
    body = encrypt("{}")
    rows = [(f"msg_{number}", body) for number in range(TOLD)]
    keys = insert_copies(WebhookEvent(type="gateway.up", at=timezone.now()), ("uid", "body"), rows, known_by="uid")
    for webhook in (told, waits):
        insert_copies(WebhookDelivery(), ("webhook", "event"), [(webhook.pk, key) for key in keys.values()])
    # What PostgreSQL knows of it is of the time when all of it waited.
    _analyse()
    WebhookDelivery.objects.filter(webhook=told).update(state=Delivered.DELIVERED, due_at=None)
    return told


def test_the_history_is_not_read(webhook: Webhook) -> None:
    (waits,) = Webhook.objects.exclude(pk=webhook.pk)
    for _turn in range(2):
        with watched():
            assert delivering.due() == [waits.pk]
            assert delivering.claim(webhook)[0] == []
            assert upkeep.give_up() == 0
            assert upkeep.forget() == 0
        with watched(written=delivering.AT_ONCE), transaction.atomic():
            assert len(delivering.claim(waits)[0]) == delivering.AT_ONCE
        # A second time with what PostgreSQL learns of it.
        _analyse()
    with watched():
        webhooks.tell("gateway.up", {})
        webhooks.forget_about("guest 1")


def test_what_is_left_of_a_removed_one_goes_in_portions(webhook: Webhook) -> None:
    webhooks.remove(webhook)
    before = WebhookDelivery.objects.filter(webhook=webhook.pk).count()
    assert before == TOLD
    with watched():
        gone = upkeep._forget_removed(upkeep.SOME)
    assert gone == upkeep.SOME
    assert WebhookDelivery.objects.filter(webhook=webhook.pk).count() == before - upkeep.SOME
