"""A code while very many messages wait at its gateway: how long it takes to the provider, beside an empty queue."""

import os
from functools import partial

from bench.load import quantile
from bench.table.alternating import Row, in_turn
from bench.table.stage import House, Stage, until

WAITING = int(os.environ.get("BENCH_WAITING", "50000"))
CODES = int(os.environ.get("BENCH_CODES", "100"))
#: Its pace and its places are what the others wait for; at the wide gateway they wait for the worker, which sends them
#: as fast as it can. Through either a code comes while most of them are still there.
NARROW = {"rate_per_second": 200, "max_in_flight": 100}
LEFT = "SELECT count(*) FROM messaging_message WHERE due_at IS NOT NULL"
#: But for those that a halted worker has locked, which it then sends.
CANCEL = """
UPDATE messaging_message SET state = 'cancelled', due_at = NULL, finished_at = now()
WHERE id IN (SELECT id FROM messaging_message WHERE due_at IS NOT NULL FOR UPDATE SKIP LOCKED)
"""


def rows(stage: Stage, house: House) -> list[Row]:
    """Two, of p99 in milliseconds; nothing is wanted of the second."""
    house.add_gateway("narrow", stage.provider, **NARROW)
    measures = {}
    for gateway in ("narrow", "wide"):
        measures[f"behind {gateway}"] = partial(_behind, stage, house, gateway)
        measures[f"alone {gateway}"] = partial(_alone, stage, house, gateway)
    found = in_turn(measures)
    name = f"a code to its provider, p99 ms, behind {WAITING:,}"
    return [
        Row(f"{name} | alone", found["behind narrow"], found["alone narrow"], 2, at_most=True),
        Row(f"{name} at full speed | alone", found["behind wide"], found["alone wide"], None),
    ]


def _behind(stage: Stage, house: House, gateway: str) -> float:
    house.queue(WAITING, gateway)
    found = _p99(stage, house, gateway)
    assert house.one(LEFT), "the queue was gone before the codes were"
    # Nobody takes the rest while it is taken away.
    house.halt("celery")
    house.database.execute(CANCEL)
    house.go_on("celery")
    house.drained()
    house.forget()
    return found


def _alone(stage: Stage, house: House, gateway: str) -> float:
    found = _p99(stage, house, gateway)
    house.drained()
    house.forget()
    return found


def _p99(stage: Stage, house: House, gateway: str) -> float:
    accepted: dict[str, float] = house.inside(f"codes({gateway!r}, {CODES})")
    until(lambda: accepted.keys() <= stage.arrivals().keys())
    arrived = stage.arrivals()
    return 1000 * quantile([arrived[phone] - at for phone, at in accepted.items()], 99)
