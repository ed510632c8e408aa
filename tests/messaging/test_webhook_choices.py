"""What a webhook is told of no more goes nowhere: its address may be that of somebody who may not read it."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from gateways.models import Gateway
from gateways.outcomes import InboundSms
from messaging import inbound, webhooks
from messaging.models import Delivered, Webhook, WebhookDelivery
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import Right
from tests.conftest import Api
from tests.messaging.hooks import deliver_all, listen
from tests.portal.admin_pages import staff_with
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

CANARY = "canary-Kenar-4711"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def webhook(sandbox: Gateway) -> Webhook:
    """One of the administrator's, which is told of texts, and for which one waits."""
    webhook = listen("sms.received", "gateway.up")
    inbound.store(sandbox, [InboundSms("+79161112233", CANARY, "r-1", timezone.now())])
    return webhook


def clerk() -> User:
    """Who may change webhooks, and read nothing that anybody wrote."""
    return staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_UPDATE, Right.SMS_GATEWAY_READ)


def lead_away(webhook: Webhook, receiver: Receiver) -> None:
    receiver.secret = webhook.secret
    webhooks.change(webhook, by=clerk(), url=f"{receiver.url}/away", events=["gateway.up"])
    webhooks.forget()


def test_what_waits_for_it_does_not_follow_it_to_another_address(webhook: Webhook, receiver: Receiver) -> None:
    lead_away(webhook, receiver)
    webhooks.tell("gateway.up", {"sms_gateway": "main"})
    deliver_all()
    assert [heard.type for heard in receiver.heard] == ["gateway.up"]
    assert CANARY not in str(receiver.calls)
    untold = WebhookDelivery.objects.get(event__type="sms.received")
    assert (untold.state, untold.due_at) == (Delivered.FAILED, None)
    assert "not among those" in untold.reason
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_nor_does_what_was_told_long_ago(webhook: Webhook, receiver: Receiver, api: Api) -> None:
    WebhookDelivery.objects.update(state=Delivered.DELIVERED, due_at=None)
    lead_away(webhook, receiver)
    delivery = WebhookDelivery.objects.get()
    with pytest.raises(Refusal, match=r"sms\.received") as found:
        webhooks.replay(delivery)
    assert found.value.why is Why.CONFLICT
    answer = api(User.objects.get(username="clerk")).post(f"/api/v1/webhook_delivery/{delivery.pk}/replay")
    assert answer.status_code == 409
    deliver_all()
    assert receiver.calls == []


def test_it_is_told_again_once_it_is_chosen_again(webhook: Webhook, receiver: Receiver) -> None:
    lead_away(webhook, receiver)
    deliver_all()
    webhooks.change(webhook, by=None, events=["sms.received"])
    webhooks.replay(WebhookDelivery.objects.get())
    deliver_all()
    assert [heard.data["message"] for heard in receiver.heard] == [CANARY]
