"""Two machines with a state folder each and one PostgreSQL and Redis: they share the work, and one takes over.

With SQLite the portal lives on one machine, so there is nothing of this to test.
"""

import os
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from messaging.retries import LEASE_MARGIN, RULES, Kind
from tests.services.machines import Machine
from tests.services.paced import paced_gateway
from tests.services.stack import Portal
from tests.waiting import wait_for

pytestmark = pytest.mark.postgresql_only

RATE = 20
FIRST, *OTHERS = [f"+79160{number:06}" for number in range(2001)]
TO_SHARE, TAKEN_OVER = OTHERS[:1000], OTHERS[1000:]
#: Seconds; a dead worker's messages are free after these and the lease's margin.
TIMEOUT = 10
#: The longest that a message of a dead worker may wait: for the end of its lease, and then, since its provider knows
#: keys, for as long as an unclear one of its kind does at the most.
TAKEN_OVER_AFTER = timedelta(seconds=TIMEOUT + RULES[Kind.INFORMATION].base) + LEASE_MARGIN
#: The sweep comes every second; a machine that is busy may be slow to answer its bell.
SWEPT_AFTER = timedelta(seconds=10)
#: When each was tried once more of those that were tried twice, by the database's clock.
STARTED_AGAIN = """
{a.message.phone: a.started_at.timestamp() for a in Attempt.objects.filter(epoch__gt=1).order_by("-started_at")}
""".strip()


def moment(portal: Portal) -> float:
    """What time it is by the database's clock."""
    with psycopg.connect(portal.environment["DATABASE_URL"]) as connection:
        (now,) = connection.execute("SELECT clock_timestamp()").fetchone() or ()
    return float(now.timestamp())


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
        killed_at = moment(installation)
        os.kill(there, signal.SIGKILL)
        taken_over = TAKEN_OVER[:asked]
        wait_for(lambda: paced.have_arrived(taken_over), "the first machine hands over all of them")
        held = [phone for phone in taken_over if paced.carrying(phone)[0].found == there]
        assert held
        assert {seen.found for phone in held for seen in paced.carrying(phone)[1:]} == {here}
        again = installation.look(STARTED_AGAIN)
        assert again.keys() >= set(held)
        assert max(again.values()) - killed_at <= (TAKEN_OVER_AFTER + SWEPT_AFTER).total_seconds()
        # Each is there once, whoever sent it.
        assert sorted(sms.phone for sms in paced.provider.taken) == [FIRST, *shared, *taken_over]
        unsettled = "Message.objects.exclude(state__in=['submitted', 'delivered']).count()"
        wait_for(lambda: installation.look(unsettled) == 0, "each is on record as handed over")
    assert not list((second.folder / "keys").iterdir())
