"""P11: what costs money or invites fraud is capped, whoever comes at once; what cannot be counted is not done.

Every count is a row that is locked or changed conditionally in the transaction of what it counts; nothing is counted in
Redis or in a process. So the broker is away in all of these tests.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Lock
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from gateways.models import Gateway, GatewayHealth, SandboxSms
from guests import registration, rules
from guests.applying import Application, Visitor
from guests.limits import HeldBack, brake
from guests.models import Brake, Code, GuestType, LimitCount
from messaging import claiming, delivery, sending
from messaging.models import Attempt, Message, MessageTemplate, State
from messaging.retries import Kind
from portal.celery import app
from portal.errors import Refusal
from tests.gateways.conftest import at_once
from tests.messaging.conftest import Send

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Redis is away: the bells that could not be rung."""
    lost: list[str] = []

    def fail(task: str, *_: Any, **__: Any) -> None:
        lost.append(task)
        raise BrokerAway

    monkeypatch.setattr(app, "send_task", fail)
    return lost


def all_at_once(work: Callable[[], Any]) -> list[Any]:
    """What each of several workers got until it got nothing any more."""

    def go_on() -> list[Any]:
        found = []
        while got := work():
            found.append(got)
        return found

    return [got for worker in at_once(go_on, WORKERS) for got in worker]


class TestMoney:
    """A gateway's daily limit, and how many messages it may have at once."""

    @pytest.mark.usefixtures("noon")
    def test_workers_together_take_no_more_than_the_day_allows(
        self, send: Send, sandbox: Gateway, no_broker: list[str]
    ) -> None:
        Gateway.objects.update(daily_limit=7, rate_per_second=1000, max_in_flight=100)
        for _ in range(30):
            send()
        assert no_broker
        GatewayHealth.objects.update(proven=True, pace_tokens=1000)
        sandbox.refresh_from_db()
        claimed = all_at_once(lambda: claiming.claim(sandbox)[0])
        assert sum(map(len, claimed)) == 7
        assert GatewayHealth.objects.get().day_count == Message.objects.filter(state=State.CLAIMED).count() == 7

    def test_workers_together_have_no_more_in_the_air_than_is_allowed(self, send: Send, sandbox: Gateway) -> None:
        Gateway.objects.update(rate_per_second=1000, max_in_flight=5)
        for _ in range(30):
            send(kind=Kind.CODE)
        GatewayHealth.objects.update(proven=True, pace_tokens=1000)
        sandbox.refresh_from_db()
        claimed = all_at_once(lambda: claiming.claim(sandbox)[0])
        assert sum(map(len, claimed)) == 5

    @pytest.mark.usefixtures("network")
    def test_what_cannot_be_counted_is_not_sent(self, send: Send, sandbox: Gateway) -> None:
        Gateway.objects.update(daily_limit=7)
        message = send()
        with connection.execute_wrapper(away_for(GatewayHealth)), pytest.raises(OperationalError):
            delivery.drain(sandbox.pk)
        assert not Attempt.objects.exists()
        assert not SandboxSms.objects.exists()
        # It was only put off.
        delivery.drain(sandbox.pk)
        assert Attempt.objects.get().message == message


class TestFraud:
    """Codes for phones of strangers. How often one may be guessed is in `tests/guests/test_registration.py`."""

    @pytest.fixture(autouse=True)
    def offered(self) -> None:
        """What migrations made is gone once another test of this kind has run."""
        GuestType.objects.get_or_create(name="Guest", defaults={"self_service": True})
        MessageTemplate.objects.get_or_create(kind=Kind.CODE, language="en", defaults={"text": "Code $code, $portal"})

    def start(self, number: int) -> bool:
        """Somebody else asks for a code for another phone; whether one was sent."""
        application = Application(phone=f"+7916{number:07}", language="en")
        try:
            registration.start(application, Visitor(address=f"198.51.{number}.7"))
        except HeldBack:
            return False
        return True

    def test_robots_together_get_no_more_codes_than_the_portal_allows(
        self, sandbox: Gateway, no_broker: list[str]
    ) -> None:
        rules.change(portal_hour=9)
        numbers, lock = count(), Lock()

        def ask() -> bool:
            with lock:
                number = next(numbers)
            return self.start(number)

        assert sum(all_at_once(ask)) == 9
        assert Message.objects.count() == Code.objects.count() == 9
        assert no_broker

    def test_where_it_cannot_be_counted_no_code_is_sent(self, sandbox: Gateway) -> None:
        with connection.execute_wrapper(away_for(LimitCount)), pytest.raises(OperationalError):
            self.start(1)
        assert not Message.objects.exists()
        assert not Code.objects.exists()

    def test_while_the_brake_is_pulled_nobody_gets_a_code(self, sandbox: Gateway) -> None:
        Brake.objects.update_or_create(pk=brake.ROW, defaults={"until": timezone.now() + timedelta(hours=1)})
        assert not any(at_once(lambda: done(lambda: self.start(1)), WORKERS))
        assert not Message.objects.exists()
        brake.release(None)
        assert self.start(1)


def done(work: Callable[[], object]) -> bool:
    """Whether it was done after all."""
    try:
        work()
    except Refusal:
        return False
    return True


def away_for(table: type[Any]) -> Callable[..., Any]:
    """The database does everything but change this table."""
    name = table._meta.db_table

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if name in sql and "UPDATE" in sql.upper():
            raise OperationalError("the disk is full")
        return run(sql, *rest)

    return execute


def test_no_message_is_accepted_that_its_sender_is_not_told_of(sandbox: Gateway, no_broker: list[str]) -> None:
    """The bell fails after the commit, and is no failure of the message."""
    accepted = sending.send(
        phone="+79161234567", text="x", kind=Kind.INFORMATION, gateway_name="sandbox", requested_by=None
    )
    assert Message.objects.get() == accepted
    assert no_broker == ["messaging.tasks.drain"]
