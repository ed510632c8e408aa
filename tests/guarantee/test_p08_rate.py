"""P8: with any number of workers, a gateway is handed at most `rate * seconds + burst` messages in every window.

Judged by when they arrive at the provider: four worker processes on PostgreSQL, one on SQLite. That the bucket which
they share keeps its rate, whoever asks and whenever, is tested in `tests/gateways/test_pace.py`.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.machines import Machine
from tests.services.paced import paced_gateway
from tests.services.stack import Portal
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

#: The bucket of a gateway that has rested holds as many.
RATE = 10
#: One to prove that the gateway works, many at one moment, and more until every worker has handed some over.
FIRST, *OTHERS = [f"+7916000{number:04}" for number in range(1061)]
AT_ONCE, MORE = OTHERS[:60], OTHERS[60:]
WORKERS = 4


def test_a_gateway_gets_no_more_than_its_rate_in_any_window(installation: Portal, tmp_path: Path) -> None:
    installation.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    installation.start()
    installation.login()
    # SQLite is made for one worker.
    others = WORKERS - 1 if installation.environment["DATABASE_URL"] else 0
    machines = [Machine(tmp_path / f"machine{number}", installation) for number in range(others)]
    with paced_gateway(installation, RATE) as paced, ExitStack() as stack:
        paced.send([FIRST])
        wait_for(lambda: paced.have_arrived([FIRST]), "the gateway works")
        # It rests while the others start, so what follows may begin with a burst.
        paced.workers += [stack.enter_context(machine).start_worker() for machine in machines]
        for machine in machines:
            wait_for(machine.is_at_work, f"the worker is ready:\n{machine.output()}")
        paced.send(AT_ONCE)
        wait_for(lambda: paced.have_arrived(AT_ONCE), "all are handed over")
        more = paced.share(MORE)
        assert paced.over([FIRST, *AT_ONCE, *more]) <= 0
