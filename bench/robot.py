"""A robot that solves captchas, at the guest pages: what it costs at most, what holds it back, who comes in afterwards.

Ends the program with an error where more messages are accepted than may be.
"""

import asyncio
import multiprocessing
import os
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.portals import started
from tests.engine import PRODUCTION
from tests.servers import ServerMissing, Servers
from tests.services import guesser, guest
from tests.services.guest import Phones, sandbox_phones
from tests.services.robot import CODE_PAGE, PAUSED, Posted, Robot
from tests.services.stack import Portal
from tests.waiting import wait_for

POSTS = int(os.environ.get("BENCH_POSTS") or 2000)
#: Few enough that most of what may be accepted is accepted without it.
REDIS_STOPS_AFTER = 40
#: So many more once the codes are old enough for the brake to look at them.
LATER_POSTS = 50
GUESSES = 1000
AT_ONCE = 16
#: Which says whose address a post comes from.
BEHIND_PROXY = {"TRUSTED_PROXIES": "127.0.0.1/32"}
#: 50 addresses: twenty in each of two networks, ten in networks of their own.
CROWDED = [f"198.51.{network}.{host}" for network in (0, 1) for host in range(1, 21)]
ADDRESSES = CROWDED + [f"192.0.{network}.1" for network in range(10, 20)]
#: 5,000 phones, 3,000 of them in one range of numbers.
PHONES = [f"+7916000{number:04d}" for number in range(3000)] + [f"+7917{number:04d}000" for number in range(2000)]
GENUINE, GENUINE_ADDRESS = "+79265550101", "203.0.113.200"
GUESSED = "+79265550102"


@dataclass(frozen=True)
class Case:
    """Which rules are not the usual ones, what is accepted at most, and whether the robot goes on beside the guest."""

    name: str
    at_most: int
    budget: int = 600
    rules: dict[str, int] = field(default_factory=dict)
    goes_on: bool = False


NO_OTHERS = dict.fromkeys(("address_hour", "address_day", "network_hour", "network_day", "prefix_hour"), 0)
CASES = (
    # Two networks of 60 an hour each, and ten addresses of 10.
    Case("all limits at their defaults", at_most=220, goes_on=True),
    Case("the portal's budget alone", at_most=100, budget=100, rules=NO_OTHERS | {"portal_hour": 100}),
)


def report() -> None:
    """Both cases on both engines."""
    # Forked before this process has threads.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("fork")) as solvers:
        solvers.submit(int).result()
        for case in CASES:
            with started(BEHIND_PROXY) as portal:
                _show("the embedded portal", case, portal, solvers)
            try:
                with Servers() as servers, started(PRODUCTION | servers.addresses | BEHIND_PROXY) as portal:
                    name = f"PostgreSQL and Redis, which is stopped after {REDIS_STOPS_AFTER} posts"
                    _show(name, case, portal, solvers, servers)
            except ServerMissing as why:
                print(f"A robot, {case.name}: {why}\n", flush=True)


def _show(name: str, case: Case, portal: Portal, solvers: Executor, servers: Servers | None = None) -> None:
    portal.ask_desk(f"set_rules(**{case.rules})")
    robot = Robot(portal, ADDRESSES, PHONES, AT_ONCE, solvers)
    print(f"A robot at {name}; {case.name}", flush=True)
    began = time.time()
    posted = robot.post(POSTS, REDIS_STOPS_AFTER, servers.redis.stop if servers else None)
    spent = _settled(portal, servers)
    _say("posts, each with a fresh proof", f"{POSTS:,} in {posted.seconds:.0f} s, {posted.per_second:.0f}/s")
    _say("what became of them", _answers(posted))
    _say("messages accepted, and arrived", f"{spent['accepted']:,}, {spent['arrived']:,}")
    _say("may be at most", f"{case.at_most:,} (budget {case.budget:,} an hour)")
    _say("limits that held some back", _turned_away(spent))
    _say("the brake", _brake(portal, robot, spent, began))
    _check(case, portal)
    portal.login()
    with sandbox_phones(portal) as phones:
        _say("released; a genuine guest is on line after", f"{_genuine(case, portal, phones, robot):.1f} s")
        if case.goes_on:
            _say(f"{GUESSES:,} guesses at one registration, {AT_ONCE} at once", _guesses(portal, phones))
    print(flush=True)


def _settled(portal: Portal, servers: Servers | None) -> dict[str, Any]:
    """What was spent, once all that was accepted has been sent."""
    if servers:
        servers.redis.start()

    def all_sent() -> dict[str, Any] | None:
        found: dict[str, Any] = portal.ask_desk("seen()")
        return found if found["accepted"] == found["arrived"] else None

    found = wait_for(all_sent, "what was accepted is sent")
    assert found
    return found


def _answers(posted: Posted) -> str:
    """A code that is still good is asked for without another message."""
    asked = posted.answers[CODE_PAGE]
    stopped = sum(count for answer, count in posted.answers.items() if PAUSED in answer)
    held = posted.answers.total() - asked - stopped
    return f"asked for the code {asked:,}, held back by a limit {held:,}, stopped by the brake {stopped:,}"


def _turned_away(spent: dict[str, Any]) -> str:
    """By scope; several may be used up for one post."""
    return ", ".join(f"{scope} {count:,}" for scope, count in spent["refused"].items() if count) or "nothing"


def _brake(portal: Portal, robot: Robot, spent: dict[str, Any], began: float) -> str:
    """When it was pulled. In a short run the codes get older by decree."""
    if spent["stopped"]:
        return f"pulled by itself {spent['pulled_at'] - began:.0f} s after the first post"
    portal.ask_desk("let_time_pass(minutes=5)")
    robot.post(LATER_POSTS)
    if not portal.ask_desk("seen()")["stopped"]:
        sys.exit("The brake was not pulled.")
    return "pulled by itself, five minutes later, at the next post"


def _check(case: Case, portal: Portal) -> None:
    accepted = portal.ask_desk("seen()")["accepted"]
    if accepted > min(case.at_most, case.budget):
        sys.exit(f"{accepted} messages were accepted; {min(case.at_most, case.budget)} may be.")


def _genuine(case: Case, portal: Portal, phones: Phones, robot: Robot) -> float:
    """The brake is released, and the budget where it is used up; seconds until a guest from elsewhere is on line."""
    portal.call("DELETE", "brake")
    for held in portal.call("GET", "held_back")["items"]:
        if held["counted"] == "portal":
            portal.call("DELETE", f"held_back_count/{held['id']}")

    async def come() -> float:
        robots = asyncio.create_task(robot.posting(POSTS // 10 if case.goes_on else 0))
        took = await guest.get_on_line(portal, phones, GENUINE, GENUINE_ADDRESS)
        await robots
        return took

    return asyncio.run(come())


def _guesses(portal: Portal, phones: Phones) -> str:
    began = time.monotonic()
    came_in = guesser.guess(portal, phones, GUESSED, GUESSES, AT_ONCE)
    found = portal.ask_desk(f"tries({GUESSED!r})")
    if came_in or found["judged"] > 5:
        sys.exit(f"{found['judged']} guesses were judged.")
    return f"{found['judged']} judged, registration {found['stage']}, {time.monotonic() - began:.0f} s"


def _say(what: str, found: str) -> None:
    print(f"  {what:46}{found}", flush=True)
