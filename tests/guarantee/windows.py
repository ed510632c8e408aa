"""Whether so many messages came too fast, looked at in every window of time that there was."""

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
