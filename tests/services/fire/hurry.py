"""What the portal waits for, shortened so that a test need not sit it out: when something is sent, never whether.

`points.py` loads this once Django is ready.
"""

from dataclasses import replace
from datetime import timedelta

from gateways import health
from gateways.providers import smsc_ru
from messaging import retries


def hurry() -> None:
    """From now on, in this process."""
    retries.LEASE_MARGIN = timedelta(seconds=3)
    retries.HELD_FOR = timedelta(seconds=3)
    for kind, rule in retries.RULES.items():
        retries.RULES[kind] = replace(rule, base=0.5, cap=5)
    health.FIRST_PAUSE = timedelta(seconds=2)
    # Still longer than `providers.SWIFT`, after which a call is given up, and than the simulated provider's worst
    # latency. Where the crew is `patient` a call may take longer, and none ends without an answer.
    smsc_ru.Provider.settle_window = 3.0
