"""For how long a test waits: until something is so, and long enough for the slowest machine."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds. Generous: the machine may be busy, and a gateway is asked again for receipts only 150 seconds after a worker
#: died asking. Nothing here asserts how long something took.
PATIENCE = 300.0
#: Seconds: longer than any test takes.
A_LONG_TIME = 3600.0
#: Seconds: the longest time-out that a gateway may have. None of its calls is given up while a test looks.
LONGEST_TIMEOUT = 120.0


def wait_for(what: Callable[[], T | None], why: str) -> T:
    """The first true value of `what`; fails when it never comes."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {why}")
