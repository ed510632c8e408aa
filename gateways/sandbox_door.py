"""The sandbox's door: requests to the phone inside the portal leave the event loop, where the ORM never runs."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connections

from gateways import sandbox
from gateways.http import HttpRequest, HttpResponse
from gateways.network import Call, Exchange, NeverWritten, NoAnswer, Trail
from portal import clock

logger = logging.getLogger(__name__)


def is_for_sandbox(call: Call) -> bool:
    """Whether the call goes to the sandbox, and no socket is opened for it."""
    return call.request.url.startswith(sandbox.SCHEME)


class SandboxDoor:
    """One thread that may use the ORM, in front of the sandbox."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")

    def open_for(self, calls: Sequence[Call]) -> Exchange:
        """Hands these calls over as one list; what it returns waits for the reply to one of them."""
        now = clock.now()
        in_time = [call for call in calls if now <= call.not_after]
        places = {id(call): place for place, call in enumerate(in_time)}
        answers = (
            self._loop.run_in_executor(self._thread, _ask_sandbox, [call.request for call in in_time])
            if in_time
            else None
        )

        async def exchange(call: Call, trail: Trail) -> HttpResponse:
            if answers is None or id(call) not in places:
                raise NeverWritten("it was too late to send")
            trail.written = True
            reply = (await asyncio.shield(answers))[places[id(call)]]
            trail.written = reply.written
            await asyncio.sleep(reply.delay)
            if not reply.written:
                raise NeverWritten("nothing was sent: the connection was not accepted")
            if reply.response is None:
                raise NoAnswer
            return reply.response

        return exchange

    def close(self) -> None:
        """Ends the thread, with its connection to the database."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown()


def _ask_sandbox(requests: list[HttpRequest]) -> list[sandbox.Reply]:
    try:
        return sandbox.answer_all(requests)
    except Exception as error:  # noqa: BLE001 — whatever went wrong, nobody can tell what was recorded
        logger.warning("the sandbox could not answer: %s", type(error).__name__)
        return [sandbox.Reply(None, written=True) for _ in requests]
    finally:
        close_old_connections()
