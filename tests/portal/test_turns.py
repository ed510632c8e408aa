"""A turn: what the clock rings for is done once at a time, and one that hangs holds up no other for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.turns import Turn
from tests.waiting import PATIENCE


class Work:
    """Begins when it is called, and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        self.begun.release()
        assert self.may_end.wait(PATIENCE)


@pytest.fixture
def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4)


def test_bells_that_come_meanwhile_find_it_done(threads: ThreadPoolExecutor) -> None:
    work = Work()
    turn = Turn(work, PATIENCE)
    with threads:
        first = threads.submit(turn.take)
        assert work.begun.acquire(timeout=PATIENCE)
        assert [turn.take() for _ in range(1000)] == [False] * 1000
        work.may_end.set()
        assert first.result(PATIENCE)
    assert work.times == 1
    assert turn.take()
    assert work.times == 2


def test_one_that_hangs_holds_up_no_other(threads: ThreadPoolExecutor) -> None:
    work = Work()
    turn = Turn(work, patience=0.0)
    with threads:
        both = [threads.submit(turn.take) for _ in range(2)]
        assert all(work.begun.acquire(timeout=PATIENCE) for _ in both)
        work.may_end.set()
        assert [one.result(PATIENCE) for one in both] == [True, True]


def test_one_that_fails_says_so_and_the_next_is_done() -> None:
    ends = [ValueError("out of order"), None]

    def work() -> None:
        if error := ends.pop(0):
            raise error

    turn = Turn(work, PATIENCE)
    with pytest.raises(ValueError, match="out of order"):
        turn.take()
    assert turn.take()
