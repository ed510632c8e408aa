"""The judge of P8 is judged: it says what looking at each window says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarantee.windows import most_over


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
