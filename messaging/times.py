"""Times to delivery as a histogram: fixed buckets on a logarithmic scale, from which a median can be read.

Sixteen buckets a decade, from 0.1 s to 88 hours: each is 15 % wider than the one before, so a time that is read from
them is off by 15 % at the very most, and usually by far less.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping

PER_DECADE = 16
SHORTEST = 0.1
#: The upper edges of all buckets but the last, in seconds.
EDGES = tuple(SHORTEST * 10 ** (step / PER_DECADE) for step in range(6 * PER_DECADE + 8))

#: How many messages took how long: a bucket's number, as JSON has it, and their count.
Histogram = Mapping[str, int]


def bucket(seconds: float) -> str:
    """The bucket of a time; clocks that differ may make it negative, and that is no time at all."""
    return str(bisect_right(EDGES, seconds))


def add(histogram: dict[str, int], seconds: float, count: int) -> None:
    """So many more messages took so long."""
    number = bucket(seconds)
    histogram[number] = histogram.get(number, 0) + count


def together(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of them."""
    total: Counter[str] = Counter()
    for one in histograms:
        total.update(one)
    return total


def quantile(histogram: Histogram, share: float) -> float | None:
    """The time within which this share was delivered, in seconds; None where nothing was."""
    wanted = share * sum(histogram.values())
    passed = 0
    for number in sorted(map(int, histogram)):
        count = histogram[str(number)]
        if count and passed + count >= wanted:
            return _inside(number, (wanted - passed) / count)
        passed += count
    return None


def _inside(number: int, part: float) -> float:
    """A straight line through the bucket; the last one has no end, so its beginning is all that is known."""
    lower = EDGES[number - 1] if number else 0.0
    upper = EDGES[number] if number < len(EDGES) else lower
    return lower + part * (upper - lower)
