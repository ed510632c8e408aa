"""Bells of accepted messages: one for many, the last one never late, none of them waited for."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from messaging import bells, ringing
from messaging.ringing import Ringer
from portal import faults
from portal.faults import Point
from tests.engine import REPOSITORY

#: Ends a test that would never end; nothing here takes so long.
LONG = 30.0

PROLOGUE = """
import django
django.setup()
from messaging import bells, ringing
bells.publish = lambda task, key: print("rung", key, flush=True)
"""

#: A program that accepts and ends at once, as a command does; what rings is told on its output.
ENDS_AT_ONCE = """
ringing.ring_soon(7)
"""

#: The same in a child that was forked when its parent had rung already.
FORKS = """
import os
ringing.ring_soon(7)
if child := os.fork():
    os.waitpid(child, 0)
else:
    ringing.ring_soon(8)
"""


class Broker:
    """Rings into a list; until it `may_end` a bell is under way."""

    def __init__(self) -> None:
        self.rung: list[int] = []
        self.tasks: set[str] = set()
        self.ringing, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def publish(self, task: str, key: int) -> None:
        self.ringing.set()
        assert self.may_end.wait(LONG)
        self.rung.append(key)
        self.tasks.add(task)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(bells, "publish", made.publish)
    return made


@pytest.fixture
def ringer(broker: Broker) -> Iterator[Ringer]:
    made = Ringer()
    made.start()
    yield made
    broker.may_end.set()
    made.stop()


def test_one_bell_serves_all_messages_that_come_while_it_rings(ringer: Ringer, broker: Broker) -> None:
    broker.may_end.clear()
    ringer.ask(1)
    assert broker.ringing.wait(LONG)
    for _ in range(100):
        ringer.ask(1)
        ringer.ask(2)
    broker.may_end.set()
    ringer.stop()
    # The first, and after it one for each gateway: the messages that came during the first may have missed it.
    assert broker.rung == [1, 1, 2]
    assert broker.tasks == {bells.DRAIN}


def test_other_tasks_are_called_in_the_same_way(ringer: Ringer, broker: Broker) -> None:
    ringer.ask(1, "guests.tasks.mail_sponsor")
    ringer.stop()
    assert (broker.rung, broker.tasks) == ([1], {"guests.tasks.mail_sponsor"})


def test_a_process_that_can_begin_no_thread_leaves_it_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_ringer: Ringer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.undo()
    monkeypatch.setattr(ringing, "_ringers", {})
    monkeypatch.setattr(Ringer, "start", refuse)
    for _ in range(2):
        ringing.ring_soon(1)
    assert caplog.messages == ["the bell could not be rung (can't start new thread); the sweep finds what is due"] * 2


def test_nobody_waits_for_a_broker_that_does_not_answer(ringer: Ringer, broker: Broker) -> None:
    broker.may_end.clear()
    ringer.ask(1)
    assert broker.ringing.wait(LONG)
    ringer.ask(2)
    assert broker.rung == []


def test_every_bell_is_a_point_at_which_a_test_may_kill(ringer: Ringer, broker: Broker) -> None:
    reached: list[Point] = []
    faults.listen(reached.append)
    try:
        ringer.ask(1)
        ringer.stop()
    finally:
        faults.listen(None)
    assert reached == [Point.RUNG]


def run(program: str) -> list[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program], env=environment, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def test_a_process_that_ends_rings_first() -> None:
    assert run(ENDS_AT_ONCE) == ["rung 7"]


def test_a_process_that_was_forked_rings_by_itself() -> None:
    assert sorted(run(FORKS)) == ["rung 7", "rung 8"]
