"""A short way to accept a message, and to let time pass for the messages that wait."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from gateways import sessions, transport
from gateways.http import HttpRequest
from gateways.models import Gateway, GatewayHealth
from messaging import delivery, retries, sending
from messaging.models import Attempt, Message
from messaging.retries import RULES, Kind

Send = Callable[..., Message]


@pytest.fixture(autouse=True)
def longest_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed try comes back when the test says so; the jitter may choose no delay at all."""
    monkeypatch.setattr(retries, "backoff", lambda kind, _failures: timedelta(seconds=RULES[kind].cap))


@pytest.fixture
def send(sandbox: Gateway) -> Send:
    """Accepts a message for the sandbox; the phone decides what becomes of it. The gateway has rested: it may burst."""
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=sandbox.rate_per_second)

    def accept(phone: str = "+79161234567", text: str = "Привет", kind: Kind = Kind.INFORMATION) -> Message:
        return sending.send(phone=phone, text=text, kind=kind, gateway_name=sandbox.name, requested_by=None)

    return accept


@pytest.fixture
def network() -> Iterator[None]:
    """The event loop of this process, closed after the test."""
    transport.start()
    yield
    transport.stop()


def begin(gateway: Gateway, claimed: list[Message]) -> list[tuple[Message, Attempt, HttpRequest]]:
    """Puts the attempts on record, as a drain does that was let in."""
    return delivery.begin(gateway, claimed, sessions.enter(gateway))


def let_time_pass(seconds: float) -> None:
    """Every waiting row becomes due as if so much time had gone by."""
    shift = timedelta(seconds=seconds)
    for column in ("due_at", "ask_at", "lease_until", "valid_until", "created", "submitted_at"):
        Message.objects.filter(**{f"{column}__isnull": False}).update(**{column: F(column) - shift})


def fresh(message: Message) -> Message:
    """The message as the database has it now."""
    return Message.objects.get(pk=message.pk)


def make_due() -> None:
    """Waiting messages and questions are due now, without coming nearer to their end."""
    Message.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    Message.objects.filter(ask_at__isnull=False).update(ask_at=timezone.now())
