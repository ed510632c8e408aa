"""P1: kill -9 at each of nine points of a message's journey, at three kinds of provider: none lost, none sent twice."""

import signal
from itertools import count

import pytest

from portal.faults import Point
from tests.services.fire.crew import Crew
from tests.services.fire.points import Order
from tests.services.fire.posting import Posting
from tests.services.fire.providers import FAIR, Weather

pytestmark = pytest.mark.both_engines

MESSAGES = 21
#: Points of the web; all others are a worker's.
OF_THE_WEB = (Point.ACCEPTED, Point.RUNG)


class Ledger:
    """All messages ever accepted on board, each test with phones of its own."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.answered = dict(crew.prove().answered)
        self._first = count(MESSAGES, MESSAGES)

    def post(self) -> Posting:
        """Some more messages, on their way."""
        return Posting(self.crew.portal, MESSAGES, next(self._first)).start()

    def close(self, posting: Posting) -> None:
        """Waits for the end of every message and compares the books."""
        self.crew.wait_for(posting.is_over, "every message is accepted")
        self.crew.calm_down()
        self.answered |= posting.answered
        verdict = self.crew.judge(self.answered)
        assert not verdict.complaints, "\n".join([str(verdict), *verdict.complaints])
        assert verdict.all.accepted == len(self.answered)


@pytest.fixture(scope="module")
def ledger(crew: Crew) -> Ledger:
    return Ledger(crew)


@pytest.mark.parametrize("point", Point)
def test_whoever_is_killed_there_loses_nothing(crew: Crew, ledger: Ledger, point: Point) -> None:
    name = "web" if point in OF_THE_WEB else "worker0"
    kills = crew.kills
    if name == "worker0":
        # A new one has no connections yet.
        crew.members[name].kill()
        crew.look_after()
        kills += 1
    crew.members[name].light(Order(point, nth=2 if point is Point.CLAIMED else 1))
    posting = ledger.post()
    crew.wait_for(lambda: crew.kills > kills, f"somebody is killed at the point {point}")
    ledger.close(posting)


def test_a_worker_killed_when_the_provider_has_the_message_and_it_has_no_answer(crew: Crew, ledger: Ledger) -> None:
    crew.change_weather(Weather(held=["*"]))
    posting = ledger.post()
    crew.wait_for(crew.somebody_waits, "the provider has messages and does not answer")
    kills = crew.kills
    crew.workers[0].send(signal.SIGKILL)
    crew.change_weather(FAIR)
    crew.wait_for(lambda: crew.kills > kills, "the worker is dead")
    ledger.close(posting)
