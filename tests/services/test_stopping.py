"""SIGTERM, as systemd sends it to a worker with messages in the air: it brings these home, and takes no others.

The provider knows neither keys nor can it be asked, so what a worker left behind there could only be called unclear.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web

from gateways import pace
from tests.services.stack import Portal
from tests.simulators import server
from tests.simulators.server import Simulator
from tests.waiting import LONGEST_TIMEOUT, PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

AT_ONCE = 66
#: The other places are kept for codes.
IN_THE_AIR = AT_ONCE - pace.reserve(AT_ONCE)
FIRST, *OTHERS = [f"+7916000{number:04}" for number in range(1 + 2 * IN_THE_AIR)]
#: Of each message its state, and the outcome of each of its attempts.
ON_RECORD = "{m.phone: [m.state, [a.outcome for a in m.attempts.all()]] for m in Message.objects.all()}"
#: Of the only worker: when it last swept, written every few seconds.
HEARTBEAT = "str(WorkerHeartbeat.objects.get().at)"
HANDED_OVER, UNTOUCHED = ["no_receipt", ["accepted"]], ["queued", []]


class Thinking(server.Peer):
    """Takes every message at once, and answers no more of them than it is told to."""

    name: ClassVar[str] = "thinking"
    submit_paths: ClassVar[tuple[str, ...]] = ("/send",)
    #: A test may raise it at any time.
    answers = 0

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/send", self.send)]

    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.simulator.url_of(self.name)}/send",
            "content_type": "json",
            "body": '{"to": "{{to}}", "text": "{{text}}"}',
            "ok": "status:200",
            "reference": "json:$.id",
        }

    def wrong_settings(self) -> dict[str, Any]:
        return self.settings()

    async def send(self, request: web.Request) -> web.Response:
        sms = await request.json()
        taken = self.simulator.take(self.name, sms["to"], sms["text"])
        number = len(self.simulator.taken)
        while number > self.answers:
            await asyncio.sleep(0.05)
        return web.json_response({"id": taken.reference})


def on_record(portal: Portal) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = portal.look(ON_RECORD)
    return found


def threads_of(pid: int) -> set[str]:
    """Their numbers. Those of a worker stay until it shuts down, also where they have nothing to do."""
    return {thread.name for thread in Path(f"/proc/{pid}/task").iterdir()}


def send(portal: Portal, phones: Sequence[str]) -> None:
    """A message to each, all accepted at one moment."""
    messages = [{"phone_number": phone, "message": "are you still there?"} for phone in phones]
    portal.call("POST", "sms_gateways/send_sms_batch", {"sms_gateway": "thinking", "messages": messages})


def test_a_worker_told_to_stop_brings_home_what_is_in_the_air_and_takes_nothing_more(installation: Portal) -> None:
    portal = installation
    portal.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    portal.start()
    portal.login()
    with Simulator(Thinking) as provider:
        peer = provider.peers["thinking"]
        assert isinstance(peer, Thinking)
        limits = {"timeout": LONGEST_TIMEOUT, "max_in_flight": AT_ONCE, "rate_per_second": 1000}
        gateway = {"id": "thinking", "provider": "http", "settings": peer.settings(), **limits}
        portal.call("POST", "sms_gateways", gateway)
        peer.answers = 1
        send(portal, [FIRST])
        wait_for(lambda: on_record(portal) == {FIRST: HANDED_OVER}, "the gateway works")
        send(portal, OTHERS)
        wait_for(lambda: len(provider.taken) == 1 + IN_THE_AIR, "as many as may be are in the air")
        in_the_air = {sms.phone for sms in provider.taken} - {FIRST}

        # The worker alone: honcho stops the others once it has ended.
        (worker,) = portal.processes("celery", "worker")
        # While one of its threads waits for the provider another sweeps, and has nothing to do thereafter.
        seen = portal.look(HEARTBEAT)
        wait_for(lambda: portal.look(HEARTBEAT) != seen, "the worker sweeps")
        threads = threads_of(worker)
        os.kill(worker, signal.SIGTERM)
        wait_for(lambda: "worker: Warm shutdown" in portal.output(), "the worker has heard it")
        # Celery says so first, then tells the portal, and then lets go the threads that have nothing to do.
        wait_for(lambda: threads - threads_of(worker), "the worker has heeded it")
        assert list(on_record(portal).values()).count(HANDED_OVER) == 1
        # There are places now, and tokens, and bells; yet it takes none of those that wait.
        peer.answers += IN_THE_AIR // 2
        wait_for(
            lambda: list(on_record(portal).values()).count(HANDED_OVER) == peer.answers, "the answers are on record"
        )
        assert portal.processes("celery", "worker") == [worker]
        assert len(provider.taken) == 1 + IN_THE_AIR
        peer.answers += IN_THE_AIR
        assert portal.runner
        assert portal.runner.wait(PATIENCE) == 0
        found = on_record(portal)
        assert {phone: found[phone] for phone in in_the_air} == dict.fromkeys(in_the_air, HANDED_OVER)
        left = set(OTHERS) - in_the_air
        assert {phone: found[phone] for phone in left} == dict.fromkeys(left, UNTOUCHED)

        peer.answers = len([FIRST, *OTHERS])
        portal.start()
        wait_for(lambda: on_record(portal) == dict.fromkeys([FIRST, *OTHERS], HANDED_OVER), "another sends the others")
        assert Counter(sms.phone for sms in provider.taken) == Counter([FIRST, *OTHERS])
