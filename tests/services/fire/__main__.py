"""`make fire`: one random run, and one line about it; the exit code is 1 where the guarantee was broken."""

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.engine import forget_the_developers_settings
from tests.servers import Servers
from tests.services.fire.burning import ablaze, burn
from tests.services.fire.ledger import Ledger

#: Complaints that are printed.
SHOWN = 20


def main() -> int:
    """Runs it, prints, and says how it ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.services.fire", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    given = parser.parse_args()
    # Whoever ends the program ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    forget_the_developers_settings()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-fire-")))
        servers = stack.enter_context(Servers()) if given.engine == "postgresql" else None
        crew = stack.enter_context(ablaze(folder, servers))
        began = time.monotonic()
        ended = burn(Ledger(crew), given.messages, given.seed)
        print(f"{given.engine}, seed {given.seed}: {ended}, {time.monotonic() - began:.0f} s", flush=True)
        for complaint in ended.verdict.complaints[:SHOWN]:
            print(f"  {complaint}", file=sys.stderr)
        if ended.verdict.complaints:
            print(crew.tails(), file=sys.stderr)
    return 1 if ended.verdict.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
