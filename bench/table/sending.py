"""Sending, from the queue to the result in PostgreSQL, beside the usual way, sparse and crowded, and a bare loop."""

import os
from functools import partial

from bench.table.alternating import Row, in_turn
from bench.table.rivals import Usual, bare
from bench.table.stage import House, Stage

#: How many messages a measure of ours and of the bare loop sends, and how many one worker of the usual way.
MESSAGES = int(os.environ.get("BENCH_SENDS", "6000"))
USUAL = int(os.environ.get("BENCH_USUAL", "80"))
#: The same for a worker with many children, which is soon done with a few messages.
CROWD = int(os.environ.get("BENCH_CROWD", "400"))
#: Children of a worker: Celery's own default, and as many as make sense where they wait for a provider on two cores.
CORES = os.cpu_count() or 1
MANY = int(os.environ.get("BENCH_CROWD_CHILDREN", "16"))


def rows(stage: Stage, house: House) -> list[Row]:
    """Three for one worker, three for two."""
    with Usual(stage, 1, CORES) as usual, Usual(stage, 4, MANY) as crowd:
        usual.add_worker("first")
        crowd.add_worker("first")
        made = _rows(stage, house, usual, crowd, 1)
        usual.add_worker("second")
        crowd.add_worker("second")
        second = house.add_worker("second")
        made += _rows(stage, house, usual, crowd, 2)
    second.terminate()
    second.wait()
    return made


def _rows(stage: Stage, house: House, usual: Usual, crowd: Usual, workers: int) -> list[Row]:
    found = in_turn(
        {
            "ours": partial(sends, house, MESSAGES),
            "usual": partial(usual.sends, USUAL * workers),
            "crowd": partial(crowd.sends, CROWD * workers),
            "bare": partial(bare, stage, MESSAGES),
        }
    )
    name = f"sending, messages/s, {workers} worker{'s' * (workers > 1)} | "
    return [
        Row(f"{name}the usual Celery app, {usual.children} children each", found["ours"], found["usual"], 12),
        Row(f"{name}the usual Celery app, {crowd.children} children each", found["ours"], found["crowd"], 12),
        Row(f"{name}a bare aiohttp loop", found["ours"], found["bare"], 0.6),
    ]


def sends(house: House, messages: int) -> float:
    """Messages per second, from the bell to the last result."""
    house.halt("celery")
    house.queue(messages)
    house.go_on("celery")
    seconds = house.drained()
    house.forget()
    return messages / seconds
