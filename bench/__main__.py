"""`python -m bench [PART…]`: measures the table, or the parts named. README.md beside this file explains."""

import signal
import sys

from bench import accept, dashboard, guests, peers, robot, send, table
from bench.measuring import Noise, compare


def _accept() -> None:
    compare("Accepting a message: one POST through Django, one caller", "requests/s", accept.ways())


def _send() -> None:
    with send.simulator() as url:
        compare("Sending: from the queue to the stored result", "messages/s", send.ways(url))


PARTS = {
    "table": table.report,
    "accept": _accept,
    "send": _send,
    "dashboard": dashboard.report,
    "guests": guests.report,
    "robot": robot.report,
    "peers": peers.report,
}

named = sys.argv[1:] or ["table"]
if unknown := set(named) - set(PARTS):
    sys.exit(f"There is no part {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}.")
# Whoever ends the program ends the portals and servers that it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
noise = Noise()
for name in named:
    PARTS[name]()
if named != ["table"]:
    # The table says so itself.
    print(noise.summary())
