"""A code while very many messages wait at its gateway: how long it takes to the provider, beside an empty queue."""

import os

from bench.load import quantile
from bench.table.alternating import Row, in_turn
from bench.table.stage import House, Stage, until

WAITING = int(os.environ.get("BENCH_WAITING", "50000"))
CODES = int(os.environ.get("BENCH_CODES", "100"))
#: So slow that the others wait for as long as is measured.
NARROW = {"rate_per_second": 200, "max_in_flight": 100}
LEFT = "SELECT count(*) FROM messaging_message WHERE due_at IS NOT NULL"
CANCEL = "UPDATE messaging_message SET state = 'cancelled', due_at = NULL, finished_at = now() WHERE due_at IS NOT NULL"


def rows(stage: Stage, house: House) -> list[Row]:
    """One: p99 in milliseconds."""
    house.add_gateway("narrow", stage.provider, **NARROW)
    found = in_turn({"behind": lambda: _behind(stage, house), "alone": lambda: _alone(stage, house)})
    name = f"a code to its provider, p99 ms, behind {WAITING:,} | alone"
    return [Row(name, found["behind"], found["alone"], 2, at_most=True)]


def _behind(stage: Stage, house: House) -> float:
    house.queue(WAITING, "narrow")
    found = _p99(stage, house)
    assert house.one(LEFT) > WAITING / 2, "the queue was gone before the codes were"
    # Nobody takes the rest while it is taken away.
    house.halt("celery")
    house.database.execute(CANCEL)
    house.go_on("celery")
    house.drained()
    house.forget()
    return found


def _alone(stage: Stage, house: House) -> float:
    found = _p99(stage, house)
    house.drained()
    house.forget()
    return found


def _p99(stage: Stage, house: House) -> float:
    accepted: dict[str, float] = house.inside(f"codes('narrow', {CODES})")
    until(lambda: accepted.keys() <= stage.arrivals().keys())
    arrived = stage.arrivals()
    return 1000 * quantile([arrived[phone] - at for phone, at in accepted.items()], 99)
