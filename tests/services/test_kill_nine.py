"""kill -9 of the worker and of everything while messages are being sent: none is lost, none is sent twice."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial

import pytest
import requests

from tests.services.stack import Portal
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

MESSAGES = 120


class Sender:
    """Sends all messages in a thread of its own, through restarts; remembers which the portal accepted."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.name = uuid.uuid4().hex
        self.accepted: list[int] = []
        self.thread = threading.Thread(target=self._send_all)

    def has_accepted(self, number: int) -> bool:
        """Whether so many messages were accepted; fails when the thread has died."""
        assert self.thread.is_alive() or len(self.accepted) == MESSAGES
        return len(self.accepted) >= number

    def _send_all(self) -> None:
        with requests.Session() as session:
            for number in range(MESSAGES):
                while not self._send_one(session, number):
                    time.sleep(0.2)

    def _send_one(self, session: requests.Session, number: int) -> bool:
        body = {"sms_gateway": "sandbox", "phone_number": f"+7916{number:07}", "message": f"message {number}"}
        # The key makes a repeat safe when the answer was lost with the process that should have given it.
        headers = {"Authorization": f"Bearer {self.portal.token}", "Idempotency-Key": f"{self.name}-{number}"}
        address = f"{self.portal.address}/api/v1/sms_gateways/send_sms"
        try:
            answer = session.post(address, json=body, headers=headers, timeout=60)
        except requests.RequestException:
            return False
        if answer.status_code != 200:
            return False
        self.accepted.append(answer.json()["item"]["id"])
        return True


def survive(portal: Portal, violence: Callable[[], None], kills: int) -> None:
    """Sends all messages while so many acts of violence happen; then every one must have arrived, and once."""
    sender = Sender(portal)
    sender.thread.start()
    for kill in range(1, kills + 1):
        # Somewhere in the middle of the work: a few more messages, and then a moment.
        wait_for(partial(sender.has_accepted, kill * MESSAGES // (kills + 1)), "messages are accepted")
        time.sleep(random.uniform(0, 0.3))
        violence()
        portal.start()
    sender.thread.join(timeout=300)
    assert len(set(sender.accepted)) == MESSAGES
    wait_for(lambda: unsettled(portal) == [], f"every message is delivered: {unsettled(portal)}")
    keys = portal.look("sorted(message.key for message in Message.objects.all())")
    assert portal.look("sorted(SandboxSms.objects.values_list('key', flat=True))") == keys
    assert set(sender.accepted) <= set(portal.look("list(Message.objects.values_list('pk', flat=True))"))


def unsettled(portal: Portal) -> list[object]:
    """What is not delivered yet. The sandbox knows keys, so that even an unclear attempt ends there."""
    states: list[object] = portal.look(
        "list(Message.objects.exclude(state='delivered').values_list('pk', 'state', 'reason'))"
    )
    return states


def test_nothing_is_lost_or_doubled_when_the_worker_is_killed(portal: Portal) -> None:
    survive(portal, portal.kill_worker, kills=2)


def test_nothing_is_lost_or_doubled_when_everything_is_killed(portal: Portal) -> None:
    survive(portal, portal.kill_everything, kills=2)
