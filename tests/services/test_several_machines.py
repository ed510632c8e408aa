"""Two machines with a state folder each and one PostgreSQL and Redis: they share the work, and one takes over.

With SQLite the portal lives on one machine, so there is nothing of this to test.
"""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.services.machines import Machine
from tests.services.paced import paced_gateway
from tests.services.stack import Portal, wait_for

pytestmark = pytest.mark.postgresql_only

RATE = 20
FIRST, *OTHERS = [f"+79160{number:06}" for number in range(2001)]
TO_SHARE, TAKEN_OVER = OTHERS[:1000], OTHERS[1000:]
#: Seconds; a dead worker's messages are free after these and the lease's margin.
TIMEOUT = 10


def test_two_machines_share_the_work_and_one_takes_over_what_the_other_held(
    installation: Portal, tmp_path: Path
) -> None:
    installation.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    installation.start()
    installation.login()
    with (
        paced_gateway(installation, RATE, timeout=TIMEOUT) as paced,
        Machine(tmp_path / "second", installation) as second,
    ):
        (here,) = paced.workers
        paced.send([FIRST])
        wait_for(lambda: paced.have_arrived([FIRST]), "the gateway works")
        there = second.start_worker()
        paced.workers.append(there)
        wait_for(second.is_at_work, f"the worker is ready:\n{second.output()}")

        shared = paced.share(TO_SHARE)
        assert paced.over([FIRST, *shared]) <= 0

        # From now on what the second machine says arrives nowhere, until it is gone.
        paced.witness.held = {there}
        asked = 0
        while there not in paced.senders(TAKEN_OVER):
            some = TAKEN_OVER[asked : asked + RATE]
            paced.send(some)
            asked += RATE
            wait_for(partial(paced.senders, some), "somebody takes them")
        os.kill(there, signal.SIGKILL)
        taken_over = TAKEN_OVER[:asked]
        wait_for(lambda: paced.have_arrived(taken_over), "the first machine hands over all of them")
        held = [phone for phone in taken_over if paced.carrying(phone)[0].found == there]
        assert held
        assert {seen.found for phone in held for seen in paced.carrying(phone)[1:]} == {here}
        # Each is there once, whoever sent it.
        assert sorted(sms.phone for sms in paced.provider.taken) == [FIRST, *shared, *taken_over]
        unsettled = "Message.objects.exclude(state__in=['submitted', 'delivered']).count()"
        wait_for(lambda: installation.look(unsettled) == 0, "each is on record as handed over")
    assert not list((second.folder / "keys").iterdir())
