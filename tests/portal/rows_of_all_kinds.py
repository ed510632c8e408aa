"""A row for every path of the API that names one, with whatever can be told of it."""

import re
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import InboundSms, Outcome, ReceiptState
from guests import accounts, credentials, passwords, registration, terms
from guests.applying import Application, Visitor
from guests.models import GuestType, LimitCount, Scope, Terms
from messaging import inbound, opt_outs, sending, webhooks
from messaging.models import (
    Attempt,
    Delivered,
    DeliveryEvent,
    InboundMessage,
    Message,
    State,
    Webhook,
    WebhookDelivery,
    WebhookTry,
)
from messaging.retries import Kind
from messaging.sending import Item
from portal import defender, keys
from portal.defender import allowed
from portal.models import User
from tests.conftest import PASSWORD
from tests.guests.sponsoring import ada, visitors, waits
from tests.servers import free_port

PHONE = "+79161234567"


class Rows:
    """The rows, and who made them: an administrator, through the sandbox, which is the default gateway."""

    def __init__(self) -> None:
        self.admin = User.objects.create_superuser("admin", password=PASSWORD)
        sandbox = Gateway.objects.create(name="sandbox", provider="sandbox", is_default=True)
        GatewayHealth.objects.create(gateway=sandbox, balance=1250, currency="RUB", balance_at=timezone.now())
        _make_guest(self.admin)
        agreed = terms.draft("en", "Be kind.")
        terms.publish(agreed)
        token, code = _registration(agreed)
        visitors()
        approval = waits(ada(), "+79165550102", accepted=agreed.pk)
        # Guests of both types may register, those of the first without a sponsor.
        GuestType.objects.update(self_service=True)
        #: What stands for the name in paths, by the kind of the row or by the call.
        self.in_paths: dict[str, Any] = {
            "allowed_network": allowed.allow("192.168.20.0/24", by=self.admin).pk,
            "api_key": keys.issue(self.admin, "monitoring", gateways=[sandbox.pk])[0].pk,
            "approval": approval.pk,
            "batch": _batch(self.admin),
            "blocked_host": defender.block("192.0.2.8", minutes=60, reason="guesses", by=self.admin).pk,
            "held_back_count": _held_back().pk,
            "inbound_message": _inbound(sandbox),
            "message": _handed_over(sandbox),
            "opt_out": opt_outs.add(phone="+79160000002", note="", added_by=self.admin).pk,
            "resend": _failed(),
            "sms_gateway": sandbox.name,
            "user": "bob",
            "webhook": (webhook := _webhook(self.admin)).pk,
            "webhook_delivery": _delivered(webhook),
        }
        #: What fields of a body name: in every call, and in some.
        self.in_bodies: dict[str, dict[str, Any]] = {
            "": {
                "username": self.admin.username,
                "password": PASSWORD,
                "pid": "bob",
                "sms_gateway": sandbox.name,
                "token": token,
                "code": code,
                "accepted_terms": agreed.pk,
                "guest_type": "Guest",
            },
            "users": {"pid": "carol"},
            "sms_gateways": {"id": "second"},
            "api_keys": {"user": self.admin.username, "sms_gateways": [sandbox.name]},
        }


def _make_guest(admin: User) -> None:
    """With a password that was sent."""
    accounts.create(username="bob", by=admin, phone=PHONE, password_hash=passwords.hash_password("river-stone"))
    credentials.send(accounts.named("bob", admin), password="river-stone", gateway_name="sandbox", by=admin)


def _batch(admin: User) -> int:
    items = [Item(PHONE, "Wi-Fi is back", "booking 17"), Item("12", "Wi-Fi is back", "booking 19")]
    return sending.send_many(items, gateway_name="sandbox", requested_by=admin, name="By the API").pk


def _inbound(sandbox: Gateway) -> int:
    inbound.store(sandbox, [InboundSms("79161234567", "Где Wi-Fi?", "1", datetime(2025, 11, 22, 12, tzinfo=UTC))])
    return InboundMessage.objects.latest("pk").pk


def _handed_over(sandbox: Gateway) -> int:
    """A message with an attempt and a receipt."""
    message = sending.send(phone=PHONE, text="Привет", kind=Kind.INFORMATION, gateway_name="sandbox", requested_by=None)
    now = timezone.now()
    Attempt.objects.create(
        message=message, gateway=sandbox, epoch=1, key=message.key, finished_at=now, outcome=Outcome.ACCEPTED,
        reference="17", exchange={"status": 200, "body": "{}"},
    )  # fmt: skip
    DeliveryEvent.objects.create(gateway=sandbox, message=message, reference="17", state=ReceiptState.PENDING, at=now)
    return message.pk


def _failed() -> int:
    """One that can be sent again."""
    message = sending.send(phone=PHONE, text="Привет", kind=Kind.INFORMATION, gateway_name="sandbox", requested_by=None)
    Message.objects.filter(pk=message.pk).update(state=State.FAILED, finished_at=timezone.now())
    return message.pk


def _webhook(admin: User) -> Webhook:
    """Of somebody who is not there."""
    url = f"http://127.0.0.1:{free_port()}/hook"
    return webhooks.create(by=admin, name="hotel desk", url=url, events=["sms.received", "gateway.up"]).webhook


def _delivered(webhook: Webhook) -> int:
    """An event that the webhook was told at the second call."""
    webhooks.forget()
    webhooks.tell("gateway.up", {"sms_gateway": "sandbox"})
    delivery = WebhookDelivery.objects.get(webhook=webhook)
    WebhookTry.objects.create(delivery=delivery, milliseconds=31, status=500, reason="the answer was 500", answer="no")
    WebhookTry.objects.create(delivery=delivery, milliseconds=29, status=204)
    WebhookDelivery.objects.update(state=Delivered.DELIVERED, due_at=None, last_status=204, answered_at=timezone.now())
    return delivery.pk


def _held_back() -> LimitCount:
    now = timezone.now()
    return LimitCount.objects.create(
        scope=Scope.PHONE, minutes=60, key="+79165550199", since=now, count=3, most=3, refused=2
    )


def _registration(agreed: Terms) -> tuple[str, str]:
    """The token of one that waits for its code, and the code."""
    begun = registration.start(
        Application(phone="+79165550101", language="en", accepted=agreed.pk), Visitor("192.0.2.9")
    )
    sent = Message.objects.filter(kind=Kind.CODE).latest("pk")
    found = re.search(r"\b\d{6}\b", sent.text or "")
    assert found, sent.text
    return begun.token, found[0]
