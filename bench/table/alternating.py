"""Two ways measured in turn, round after round, the first one in every other round: the ratio is that of each pair."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: A measure is made once and gives one figure.
Measure = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One line of the table: the figures of all rounds, and which ratio is wanted."""

    name: str
    ours: Sequence[float]
    other: Sequence[float]
    #: The ratio that is wanted at least; or at the most, where less is better. None where it is only told.
    bound: float | None
    at_most: bool = False

    @property
    def ratios(self) -> list[float]:
        """That of each round."""
        return [ours / other for ours, other in zip(self.ours, self.other, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of them."""
        return median(self.ratios)

    @property
    def spread(self) -> float:
        """How far the ratios lie apart, as a part of the median."""
        return (max(self.ratios) - min(self.ratios)) / self.ratio

    @property
    def holds(self) -> bool:
        """Whether it is as good as wanted."""
        if self.bound is None:
            return True
        return self.ratio <= self.bound if self.at_most else self.ratio >= self.bound


def in_turn(measures: Mapping[str, Measure], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """The figures of each measure by round, after a round for warming up."""
    figures: dict[str, list[float]] = {name: [] for name in measures}
    for round_ in range(rounds + 1):
        names = list(measures)[:: 1 if round_ % 2 else -1]
        for name in names:
            figure = measures[name]()
            if round_:
                figures[name].append(figure)
    return figures
