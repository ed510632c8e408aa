"""The judge of P8 is judged: it says what looking at each window says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarantee.windows import most_over, most_over_but_for_late


@given(st.lists(st.integers(0, 40).map(lambda tenths: tenths / 8), max_size=20), st.integers(1, 9), st.integers(1, 5))
def test_it_finds_the_worst_of_all_windows(moments: list[float], rate: int, burst: int) -> None:
    ordered = sorted(moments)
    windows = [
        (last - first + 1) - rate * (ordered[last] - ordered[first]) - burst
        for first in range(len(ordered))
        for last in range(first, len(ordered))
    ]
    assert most_over(moments, rate, burst) == pytest.approx(max(windows, default=-burst))


@pytest.mark.parametrize(
    ("moments", "over"),
    [
        ([], -10),
        ([5.0], -9),
        ([0.0] * 10, 0),
        ([0.0] * 11, 1),
        # A burst, and the rate kept from then on; and one more in the middle of it.
        ([0.0] * 10 + [number / 10 for number in range(1, 50)], 0),
        ([0.0] * 10 + [number / 10 for number in range(1, 50)] + [2.0], 1),
        # Two bursts, a second apart: the bucket is full again, and no fuller.
        ([0.0] * 10 + [1.0] * 10, 0),
        ([0.0] * 10 + [0.9] * 10, 1),
        # Four workers, each of which keeps the rate for itself.
        ([0.0] * 40, 30),
    ],
)
def test_at_ten_a_second(moments: list[float], over: float) -> None:
    assert most_over(moments, rate=10, burst=10) == pytest.approx(over)


WAYS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda way: (way[0] / 8, sum(way) / 8)), max_size=20
)


@given(WAYS, st.integers(1, 9), st.integers(1, 5))
def test_it_finds_the_worst_of_all_windows_without_those_that_are_late_there(
    ways: list[tuple[float, float]], rate: int, burst: int
) -> None:
    shortest = min((arrived - left for left, arrived in ways), default=0.0)
    windows = [
        sum(begins <= left + shortest and arrived <= ends for left, arrived in ways) - rate * (ends - begins) - burst
        for begins in (left + shortest for left, _ in ways)
        for _, ends in ways
        if ends >= begins
    ]
    assert most_over_but_for_late(ways, rate, burst) == pytest.approx(max(windows, default=-burst))


@given(st.lists(st.integers(0, 40).map(lambda tenths: tenths / 8), max_size=20), st.floats(0, 5))
def test_where_all_take_the_same_way_nobody_is_late(moments: list[float], way: float) -> None:
    ways = [(moment, moment + way) for moment in moments]
    assert most_over_but_for_late(ways, 5, 3) == pytest.approx(most_over(moments, 5, 3))


@pytest.mark.parametrize(
    ("ways", "over"),
    [
        # Ten that are a second late arrive with the next ten, who may come then.
        ([(0.0, 1.0)] * 10 + [(1.0, 1.0)] * 10, 0),
        # All are as late, so nobody is.
        ([(0.0, 1.0)] * 20, 10),
        # A straggler excuses itself, and nobody else: neither later on nor beside it.
        ([(0.0, 1.0)] + [(5.0, 5.0)] * 20, 10),
        ([(0.0, 5.0)] + [(5.0, 5.0)] * 20, 10),
    ],
)
def test_whoever_is_late_excuses_itself_alone(ways: list[tuple[float, float]], over: float) -> None:
    assert most_over_but_for_late(ways, rate=10, burst=10) == pytest.approx(over)
