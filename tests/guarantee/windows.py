"""Whether so many messages came too fast, looked at in every window of time that there was."""

from bisect import insort
from collections.abc import Sequence


def most_over(moments: Sequence[float], rate: float, burst: float) -> float:
    """By how many messages the worst window exceeds `rate * seconds + burst`; not above nought where none does.

    `moments` are seconds, in any order. A window begins with one message and ends with the same or a later one.
    """
    worst, least = -burst, float("inf")
    for number, moment in enumerate(sorted(moments)):
        # The window from i to j holds j - i + 1; what each end adds to the excess is apart from the other.
        least = min(least, number - rate * moment)
        worst = max(worst, number + 1 - rate * moment - least - burst)
    return worst


def most_over_but_for_late(ways: Sequence[tuple[float, float]], rate: float, burst: float) -> float:
    """The same of what left at one moment and arrived at another, without blame for what is late on its way.

    The shortest way is everyone's; whoever takes longer is late. A window is not blamed for those that should have
    arrived before it began, and for them alone: an earlier one is, if they were too many there.
    """
    shortest = min((arrived - left for left, arrived in ways), default=0.0)
    worst, within = -burst, list[float]()
    for left, arrived in sorted(ways, reverse=True):
        insort(within, arrived)
        begins = left + shortest
        worst = max(worst, *(count - rate * (ends - begins) - burst for count, ends in enumerate(within, 1)))
    return worst
