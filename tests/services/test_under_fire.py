"""The guarantee under fire, on one installation with three kinds of provider: none is lost, none is sent twice.

Each test ends by comparing our book with the providers', message by message, for all that was ever accepted there.
"""

from collections.abc import Iterator

import pytest

from portal.faults import Point
from tests.services.databases import is_held
from tests.services.fire.burning import NOT_FROZEN_AT, OF_THE_WEB, Act, burn, strike
from tests.services.fire.crew import Crew, own_crew
from tests.services.fire.ledger import Ledger
from tests.services.fire.points import FREEZE, KILL, Order
from tests.services.fire.posting import Posting
from tests.services.fire.providers import FAIR, Weather
from tests.waiting import wait_for

MESSAGES = 21
#: Seconds after which a call is given up. With the margin of a lease that `hurry` gives, it is less than any clock is
#: off here, so that whoever believes his clock takes what is in the other's hands.
NOT_SO_FAST = 30
OUTAGES = ["kill everybody", "flush the broker"]
#: Of servers, which the embedded portal has not.
OF_SERVERS = [
    pytest.param(one, marks=pytest.mark.postgresql_only) for one in ("restart the broker", "crash the database")
]


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """An installation with one worker, and servers of its own, which a test may crash."""
    with own_crew(tmp_path_factory.mktemp("fire"), workers=1) as crew:
        yield crew


@pytest.fixture(scope="module")
def ledger(crew: Crew) -> Ledger:
    return Ledger(crew)


def keeps_its_promise(ledger: Ledger, *postings: Posting) -> None:
    """Waits for the end, and fails with everything that is wrong with the books."""
    verdict = ledger.close(*postings)
    assert not verdict.complaints, "\n".join([str(verdict), *verdict.complaints])
    assert verdict.all.accepted == len(ledger.answered)


@pytest.mark.both_engines
@pytest.mark.parametrize("point", Point)
def test_whoever_is_killed_there_loses_nothing(crew: Crew, ledger: Ledger, point: Point) -> None:
    name = "web" if point in OF_THE_WEB else "worker0"
    if name == "worker0":
        # A new one has no connections yet.
        crew.members[name].start()
    crew.members[name].light(Order(point, nth=2 if point is Point.CLAIMED else 1))
    # A single one has no other whose bell would bring it.
    posting = ledger.post(1 if point is Point.ACCEPTED else MESSAGES)
    crew.wait_for(crew.members[name].was_killed, f"{name} is killed")
    keeps_its_promise(ledger, posting)


@pytest.mark.both_engines
def test_a_worker_killed_when_the_provider_has_the_message_and_it_has_no_answer(crew: Crew, ledger: Ledger) -> None:
    crew.change_weather(Weather(held=["*"]))
    posting = ledger.post(MESSAGES)
    crew.wait_for(crew.somebody_waits, "the provider has messages and does not answer")
    crew.workers[0].send(KILL)
    crew.change_weather(FAIR)
    crew.wait_for(crew.workers[0].was_killed, "the worker is dead")
    keeps_its_promise(ledger, posting)


@pytest.mark.both_engines
@pytest.mark.parametrize("outage", [*OUTAGES, *OF_SERVERS])
def test_an_outage_loses_nothing(crew: Crew, ledger: Ledger, outage: str) -> None:
    posting = ledger.post(2 * MESSAGES, rate=10)
    crew.wait_for(lambda: len(posting.answered) >= MESSAGES, "half of the messages are accepted")
    strike(crew, Act(0, outage))
    keeps_its_promise(ledger, posting)


@pytest.mark.both_engines
@pytest.mark.parametrize("point", [Point.CLAIMED, Point.ATTEMPTED, Point.CONNECTED, Point.ANSWERED])
def test_a_worker_frozen_past_its_lease_does_no_harm_when_it_wakes(crew: Crew, ledger: Ledger, point: Point) -> None:
    assert point is not NOT_FROZEN_AT
    posting = frozen_at(crew, ledger, point)
    with crew.enlisted("worker1"):
        # All its messages have come to an end in other hands before it wakes.
        with crew.forsaken("worker0") as frozen:
            ledger.close(posting)
            frozen.thaw()
        keeps_its_promise(ledger, posting)


def frozen_at(crew: Crew, ledger: Ledger, point: Point) -> Posting:
    """Freezes the worker there, while none of its other threads is in a transaction: that would hold up all others.

    At the provider that can be asked: it has not got the message, and is sent another copy before the worker wakes.
    """
    return wait_for(lambda: try_to_freeze(crew, ledger, point), "the worker freezes, and not in a transaction")


def try_to_freeze(crew: Crew, ledger: Ledger, point: Point) -> Posting | None:
    """None where it was in a transaction, and has gone on."""
    crew.members["worker0"].start()
    crew.members["worker0"].light(Order(point, deed=FREEZE))
    posting = ledger.post(MESSAGES, kinds=["look-up"])
    crew.wait_for(crew.members["worker0"].is_frozen, f"the worker freezes at the point {point}")
    if not is_held(crew.portal.environment):
        return posting
    crew.members["worker0"].thaw()
    keeps_its_promise(ledger, posting)
    return None


@pytest.mark.both_engines
def test_two_beats_at_once_send_nothing_twice(crew: Crew, ledger: Ledger) -> None:
    with crew.enlisted("beat1"):
        posting = ledger.post(2 * MESSAGES, rate=10)
        keeps_its_promise(ledger, posting)


@pytest.mark.postgresql_only
@pytest.mark.parametrize("fast", [90.0, -90.0])
def test_a_worker_whose_clock_is_off_neither_takes_nor_loses_what_another_sends(
    crew: Crew, ledger: Ledger, fast: float
) -> None:
    before = crew.judge(ledger.answered).all.unclear
    # Answers take their time, so that each finds messages in the other's hands; and no call is given up, however busy
    # the machine is.
    crew.change_weather(Weather(slow=1.0))
    with crew.enlisted("worker1", fast) as member:
        with crew.patient(NOT_SO_FAST):
            crew.wait_for(member.is_at_work, "the worker with the wrong clock is at work")
            keeps_its_promise(ledger, ledger.post(4 * MESSAGES, rate=20))
            assert crew.judge(ledger.answered).all.unclear == before
        # And each takes over what the other leaves behind.
        for name in ("worker0", "worker1"):
            crew.members[name].light(Order(Point.ATTEMPTED))
            posting = ledger.post(MESSAGES)
            crew.wait_for(crew.members[name].was_killed, f"{name} is killed")
            keeps_its_promise(ledger, posting)


def test_a_full_disk_of_the_embedded_portal_loses_nothing(crew: Crew, ledger: Ledger) -> None:
    posting = ledger.post(2 * MESSAGES, rate=10)
    crew.wait_for(lambda: len(posting.answered) >= MESSAGES, "half of the messages are accepted")
    for member in crew.members.values():
        member.fill_disk()
    late = ledger.post(MESSAGES)
    crew.wait_for(lambda: late.repeated >= 10, "nothing can be accepted any more")
    for member in crew.members.values():
        member.empty_disk()
    keeps_its_promise(ledger, posting, late)


@pytest.mark.both_engines
def test_all_of_that_at_random(ledger: Ledger) -> None:
    ended = burn(ledger, 150, seed=1)
    assert not ended.verdict.complaints, "\n".join([str(ended), *ended.verdict.complaints])
    assert ended.kills > 0
