"""A watch obeys once, at the right time and place; the weather repeats with its seed, and is as bad as it is told."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from portal.faults import Point
from tests.services.fire.points import FREEZE, Order, Watch
from tests.services.fire.providers import Weather


@pytest.fixture
def fuse(tmp_path: Path) -> Path:
    return tmp_path / "fuse"


def test_it_does_nothing_without_an_order(fuse: Path) -> None:
    done: list[signal.Signals] = []
    watch = Watch(fuse, done.append)
    for point in Point:
        watch.reached(point)
    assert done == []


def test_it_obeys_at_the_nth_time_and_never_again(fuse: Path) -> None:
    done: list[signal.Signals] = []
    watch = Watch(fuse, done.append)
    order = Order(Point.CLAIMED, nth=2, deed=FREEZE)
    order.light(fuse)
    watch.reached(Point.CLAIMED)
    watch.reached(Point.SETTLED)
    assert done == []
    assert fuse.exists()
    for _ in range(5):
        watch.reached(Point.CLAIMED)
    assert done == [FREEZE]
    assert not fuse.exists()
    # The same order again is counted from the beginning.
    order.light(fuse)
    watch.reached(Point.CLAIMED)
    assert done == [FREEZE]
    watch.reached(Point.CLAIMED)
    assert done == [FREEZE, FREEZE]


def test_of_two_with_one_fuse_one_obeys(fuse: Path) -> None:
    done: list[signal.Signals] = []
    watches = [Watch(fuse, done.append) for _ in range(2)]
    Order(Point.ACCEPTED).light(fuse)
    for watch in watches:
        watch.reached(Point.ACCEPTED)
    assert len(done) == 1


def test_a_seed_repeats_the_weather() -> None:
    storm = {"lost": 0.1, "busy": 0.1, "cut": 0.1, "error": 0.1, "slow": 0.1}
    drawn = [[Weather(seed, **storm).of("key", str(n), 1) for n in range(2000)] for seed in (1, 1, 2)]  # type: ignore[arg-type]
    assert drawn[0] == drawn[1] != drawn[2]
    found = Counter(drawn[0])
    assert all(100 < found[name] < 300 for name in storm)
    assert set(found) == {*storm, "fair"}


def test_held_phones_are_held() -> None:
    assert Weather(held=["1"]).of("key", "1", 1) == "held"
    assert Weather(held=["1"]).of("key", "2", 1) == "fair"
