"""What was told, and what receivers answered to it, is for those who may read it where it comes from."""

import pytest
from django.test import Client

from messaging import webhooks
from messaging.models import WebhookDelivery, WebhookTry
from portal.permissions import Right
from tests.conftest import Api
from tests.messaging.hooks import listen, only
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

CANARIES = ("canary-told", "canary-answered")
READS = pytest.mark.parametrize(
    ("event", "right"),
    [
        ("sms.received", Right.MESSAGES_READ), ("message.failed", Right.MESSAGES_READ),
        ("gateway.down", Right.SMS_GATEWAY_READ), ("guest.expired", Right.USERS_READ),
        ("registration.verified", Right.USERS_READ),
    ],
)  # fmt: skip


def answered(event: str) -> WebhookDelivery:
    """A delivery of such an event, which its receiver answered with what it was told."""
    webhook = listen(event)
    webhooks.tell(event, {"said": "canary-told"})
    delivery = only(webhook)
    WebhookTry.objects.create(delivery=delivery, milliseconds=1, status=500, answer="canary-answered")
    return delivery


def others(right: Right) -> set[Right]:
    return {Right.MESSAGES_READ, Right.SMS_GATEWAY_READ, Right.USERS_READ, Right.SYSTEM_READ} - {right}


@READS
def test_the_api_shows_it_to_nobody_else(api: Api, event: str, right: Right) -> None:
    address = f"/api/v1/webhook_delivery/{answered(event).pk}"
    item = api(staff_with("reader", Right.SYSTEM_READ, right)).get(address).json()["item"]
    assert "canary-told" in item["body"]
    assert item["calls"][0]["answer"] == "canary-answered"
    item = api(staff_with("clerk", *others(right))).get(address).json()["item"]
    assert (item["body"], item["calls"][0]["answer"], item["calls"][0]["status"]) == (None, "", 500)


@READS
def test_nor_do_its_pages(client: Client, event: str, right: Right) -> None:
    address = page(WebhookDelivery, "change", answered(event).pk)
    html = signed_in(staff_with("reader", Right.SYSTEM_READ, right)).get(address).content.decode()
    assert all(canary in html for canary in CANARIES)
    html = signed_in(staff_with("clerk", *others(right))).get(address).content.decode()
    assert not any(canary in html for canary in CANARIES)
