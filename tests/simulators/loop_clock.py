"""The clock of the event loop by which calls run out of time: a test sets it on when what it looks at has happened."""

import asyncio

from gateways import transport
from tests.waiting import A_LONG_TIME


def run_out_of_time(seconds: float = A_LONG_TIME) -> None:
    """Whatever is in the air has waited so much longer; called when all of it is where it should be by then.

    How fast the machine came there is no matter, so that a test may give a call more time than it ever needs.
    """
    running = transport._keeper.loop
    assert running, "nothing is in the air"
    running._loop.call_soon_threadsafe(_set_on, running._loop, seconds)


def _set_on(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    now = loop.time
    # Times that are far are rounded up to whole seconds.
    loop.time = lambda: now() + seconds + 1  # type: ignore[method-assign]
