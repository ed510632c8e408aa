"""The random run: messages are posted while processes are killed and frozen and servers crash, all as the seed says.

A seed repeats the plan of deeds and the weather at the providers; which message a deed strikes depends on the machine.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from portal.faults import Point
from tests.servers import Servers
from tests.services.fire.crew import Crew, on_board
from tests.services.fire.judging import Verdict
from tests.services.fire.ledger import Ledger
from tests.services.fire.points import FREEZE, KILL, Order
from tests.services.fire.posting import Posting
from tests.services.fire.providers import STORM

#: Points that the web reaches; all others are a worker's.
OF_THE_WEB = (Point.ACCEPTED, Point.RUNG)
#: A worker that is frozen there may wake as a sender whose message was sent by another meanwhile: only keys cover that.
NOT_FROZEN_AT = Point.WRITING
#: Seconds from one deed to the next, so that most of them strike processes that have started again.
BETWEEN = 6.0
#: Acts of violence that happen whatever the number of messages, and messages for each further one.
AT_LEAST, EACH = 6, 250


@dataclass(frozen=True)
class Act:
    """Once so many messages are accepted, this happens; `who` is a member of the crew, `order` what it shall obey."""

    after: int
    deed: str
    who: str = ""
    order: Order | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    verdict: Verdict
    kills: int

    def __str__(self) -> str:
        return f"{self.verdict.all}, unaccounted {self.verdict.unaccounted}, kills {self.kills} ({self.verdict.each})"


def plan(seed: int, messages: int, workers: int, servers: bool) -> list[Act]:
    """What will happen; the same for the same arguments."""
    drawn = random.Random(seed)
    many = AT_LEAST + messages // EACH
    moments = sorted(drawn.randrange(messages) for _ in range(many))
    return [_act(drawn, moment, [f"worker{n}" for n in range(workers)], servers) for moment in moments]


def _act(drawn: random.Random, after: int, workers: list[str], servers: bool) -> Act:
    deeds = {"obey": 10, "kill": 4, "freeze": 2, "kill everybody": 1, "flush the broker": 1}
    deeds |= {"crash the database": 2, "restart the broker": 1} if servers else {}
    deed = drawn.choices([*deeds], [*deeds.values()])[0]
    if deed == "obey":
        return _order(drawn, after, workers)
    if deed == "kill":
        return Act(after, deed, drawn.choice([*workers, *workers, "web", "beat0"]))
    return Act(after, deed, drawn.choice(workers) if deed == "freeze" else "")


def _order(drawn: random.Random, after: int, workers: list[str]) -> Act:
    point = drawn.choice([*Point])
    in_the_web = point in OF_THE_WEB
    may_freeze = not in_the_web and point is not NOT_FROZEN_AT
    deed = FREEZE if may_freeze and drawn.random() < 0.2 else KILL
    who = "web" if in_the_web else drawn.choice(workers)
    return Act(after, "obey", who, Order(point, drawn.randint(1, 8), deed))


@contextmanager
def ablaze(folder: Path, servers: Servers | None) -> Iterator[Crew]:
    """The installation for a run: on SQLite one worker, as the embedded portal has."""
    with on_board(folder, servers, workers=2 if servers else 1) as crew:
        yield crew


def burn(ledger: Ledger, messages: int, seed: int) -> Ended:
    """Posts so many messages while everything on the plan happens; returns when each has come to its end."""
    crew = ledger.crew
    acts = plan(seed, messages, len(crew.workers), crew.servers is not None)
    kills = crew.kills
    crew.change_weather(STORM.of_seed(seed))
    posting = ledger.post(messages, rate=messages / (BETWEEN * len(acts)))
    for act in acts:
        crew.wait_for(partial(_is_time, posting, act.after), f"{act.after} messages are accepted")
        strike(crew, act)
    return Ended(ledger.close(posting), crew.kills - kills)


def _is_time(posting: Posting, after: int) -> bool:
    return posting.is_over() or len(posting.answered) >= after


def strike(crew: Crew, act: Act) -> None:
    """Does it; whoever dies of it is started again by whoever waits."""
    match act.deed:
        case "obey" if act.order:
            crew.members[act.who].light(act.order)
        case "kill":
            crew.members[act.who].send(KILL)
        case "freeze":
            crew.members[act.who].send(FREEZE)
        case "kill everybody":
            for member in crew.members.values():
                member.send(KILL)
        case "flush the broker":
            crew.flush_broker()
        case "restart the broker":
            crew.restart_broker()
        case "crash the database":
            crew.crash_database()
