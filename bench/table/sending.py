"""Sending, from the queue to the result in PostgreSQL, beside the usual way and beside a bare loop."""

import os
from functools import partial

from bench.table.alternating import Row, in_turn
from bench.table.rivals import Usual, bare
from bench.table.stage import House, Stage

#: How many messages a measure of ours and of the bare loop sends, and how many one worker of the usual way.
MESSAGES = int(os.environ.get("BENCH_SENDS", "6000"))
USUAL = int(os.environ.get("BENCH_USUAL", "80"))


def rows(stage: Stage, house: House) -> list[Row]:
    """Two for one worker, two for two."""
    usual = Usual(stage)
    made = _rows(stage, house, usual, 1)
    usual.add_worker("second")
    second = house.add_worker("second")
    made += _rows(stage, house, usual, 2)
    second.terminate()
    second.wait()
    return made


def _rows(stage: Stage, house: House, usual: Usual, workers: int) -> list[Row]:
    found = in_turn(
        {
            "ours": partial(sends, house, MESSAGES),
            "usual": partial(usual.sends, USUAL * workers),
            "bare": partial(bare, stage, MESSAGES),
        }
    )
    name = f"sending, messages/s, {workers} worker{'s' * (workers > 1)} | "
    return [
        Row(f"{name}the usual Celery app", found["ours"], found["usual"], 12),
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
