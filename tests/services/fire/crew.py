"""The processes of one installation, each to be killed, frozen and started again by itself; and its providers."""

import os
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import redis
import requests
from honcho.environ import parse_procfile

from portal.processes import PROCFILE
from tests.engine import ENGINE, PRODUCTION, REPOSITORY
from tests.servers import Servers, free_port, started
from tests.services.databases import Away
from tests.services.fire import books, providers
from tests.services.fire.judging import Verdict, judge
from tests.services.fire.points import Order
from tests.services.fire.providers import FAIR, SWIFT, Weather
from tests.services.stack import Portal, stands_still
from tests.waiting import PATIENCE, wait_for

T = TypeVar("T")

#: How long somebody who is frozen stays so, seconds: past every lease that `hurry` gives, and past the settle window.
FROZEN = 12.0
#: And how long somebody who woke is given to do what it must not.
WAKING = 2.0
#: On a full disk no file grows beyond so many bytes: there is room for a bell, and for nothing in a database.
FULL_DISK = 4096


class Member:
    """One process, or gunicorn and its children: it watches the file `fuse`, and its clock is `fast` seconds fast."""

    def __init__(self, name: str, words: list[str], portal: Portal, fast: float = 0.0) -> None:
        self.name = name
        self.fuse = portal.folder.parent / f"{name}.fuse"
        self.log = portal.folder.parent / f"{name}.log"
        self._command = [sys.executable, "-m", "tests.services.fire.points", str(self.fuse), str(fast), *words]
        self._portal = portal
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen_since: float | None = None
        #: How often it came to a violent end.
        self.kills = 0
        #: And how often it had when somebody last meant it to.
        self._kills_before = 0
        self._lit = False

    def start(self) -> None:
        """Returns at once. Whoever ran is killed, which is not counted."""
        self.kill()
        self._frozen_since = None
        # Not by a signal that somebody who is frozen would not hear.
        self._process = started(self._command, self.log, None, self._portal.environment, REPOSITORY, by=signal.SIGKILL)

    def light(self, order: Order) -> None:
        """It shall obey this order when it comes to that point."""
        self._kills_before = self.kills
        order.light(self.fuse)
        self._lit = True

    def put_out(self) -> None:
        """Takes back an order that was not obeyed yet."""
        self._lit = False
        self.fuse.unlink(missing_ok=True)

    def has_burnt(self) -> bool:
        """Whether the last order was obeyed."""
        return self._lit and not self.fuse.exists()

    def was_killed(self) -> bool:
        """Whether it came to a violent end since it was last given an order, or a signal."""
        return self.kills > self._kills_before

    def send(self, signal_number: signal.Signals) -> None:
        """To the process and its children."""
        self._kills_before = self.kills
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal_number)

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self.send(signal.SIGKILL)
        if self._process:
            self._process.wait(PATIENCE)

    def thaw(self) -> None:
        """Lets it go on, and gives it time to do what it must not."""
        self._frozen_since = None
        self.send(signal.SIGCONT)
        time.sleep(WAKING)

    def is_at_work(self) -> bool:
        """Whether a worker has said that it is ready, since the first time it was started."""
        return "ready." in self.log.read_text(errors="replace")

    def is_frozen(self) -> bool:
        """Whether it stands still, by its own hand or another's."""
        return self._process is not None and stands_still(self._process.pid)

    def fill_disk(self) -> None:
        """To this process and its children the disk is full: what they write beyond a few bytes fails."""
        for pid in self._pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_DISK, resource.RLIM_INFINITY))

    def empty_disk(self) -> None:
        """There is room again."""
        for pid in self._pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def _pids(self) -> list[int]:
        """Of its process group, which is its own."""
        assert self._process
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError, ValueError):
                if os.getpgid(int(entry.name)) == self._process.pid:
                    found.append(int(entry.name))
        return found

    def look_after(self) -> None:
        """Starts it again where it died, and lets go on what has been frozen for long enough."""
        if self._process is None:
            return
        if self.is_frozen():
            self._frozen_since = self._frozen_since or time.monotonic()
            if time.monotonic() - self._frozen_since > FROZEN:
                self._frozen_since = None
                self.send(signal.SIGCONT)
        elif self._process.poll() is not None:
            # Its children go with it, if there are any.
            self.start()
            self._lit = False
            self.kills += 1
        elif self.has_burnt():
            # A child of gunicorn, which has another by now.
            self._lit = False
            self.kills += 1


class Crew:
    """One installation under fire; it is made by `on_board`."""

    def __init__(self, portal: Portal, servers: Servers | None, book: Path, workers: int, beats: int = 1) -> None:
        self.portal = portal
        self.servers = servers
        self.book = book
        self._url = ""
        self._kills_of_others = 0
        names = ["web", *(f"worker{n}" for n in range(workers)), *(f"beat{n}" for n in range(beats))]
        self.members = {name: self._member(name) for name in names}

    def _member(self, name: str, fast: float = 0.0) -> Member:
        """As the Procfile has it."""
        line = parse_procfile(PROCFILE.read_text()).processes[name.rstrip("0123456789")]
        return Member(name, shlex.split(line)[1:], self.portal, fast)

    @contextmanager
    def enlisted(self, name: str, fast: float = 0.0) -> Iterator[Member]:
        """One member more, for a while; its clock is so many seconds fast."""
        member = self.members[name] = self._member(name, fast)
        member.start()
        try:
            yield member
        finally:
            del self.members[name]
            member.kill()
            self._kills_of_others += member.kills

    @contextmanager
    def forsaken(self, name: str) -> Iterator[Member]:
        """Nobody looks after this member for a while: who is frozen stays so."""
        member = self.members.pop(name)
        try:
            yield member
        finally:
            self.members[name] = member

    @property
    def kills(self) -> int:
        """How many processes came to a violent end."""
        return self._kills_of_others + sum(member.kills for member in self.members.values())

    @property
    def workers(self) -> list[Member]:
        """Those that send."""
        return [member for name, member in self.members.items() if name.startswith("worker")]

    def set_sail(self, url: str) -> None:
        """Makes the installation, its gateways at the providers with this address, and starts everybody."""
        self._url = url
        self.portal.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
        made = self.portal.first_run()
        assert made.returncode == 0, made.stderr.decode()
        for member in self.members.values():
            member.start()
        self.wait_for(self.is_ready, "the portal is ready")
        self.portal.login()
        for body in providers.gateways(url):
            self.portal.call("POST", "sms_gateways", body)

    def is_ready(self) -> bool:
        """Whether `/readyz` says so."""
        try:
            return requests.get(f"{self.portal.address}/readyz", timeout=10).ok
        except requests.RequestException:
            return False

    def change_weather(self, weather: Weather) -> None:
        """At the providers, from the next message on."""
        requests.put(f"{self._url}/weather", data=weather.text(), timeout=PATIENCE).raise_for_status()

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """For a while the calls of every gateway are given up after so many seconds, from the next message on."""
        self._change_timeout(seconds)
        try:
            yield
        finally:
            self._change_timeout(SWIFT)

    def _change_timeout(self, seconds: float) -> None:
        for kind in providers.KINDS:
            self.portal.call("PATCH", f"sms_gateway/{kind}", {"timeout": seconds})

    def look_after(self) -> None:
        """Whoever died is started again."""
        for member in self.members.values():
            member.look_after()

    def wait_for(self, what: Callable[[], T], why: str) -> T:
        """The first true value, while everybody is looked after; fails when it never comes."""
        until = time.monotonic() + PATIENCE
        while not (value := what()):
            assert time.monotonic() < until, f"waited in vain: {why}\n{self.tails()}"
            time.sleep(0.1)
            self.look_after()
        return value

    def tails(self) -> str:
        """The last lines that everybody printed."""
        logs = {name: member.log.read_text(errors="replace")[-1500:] for name, member in self.members.items()}
        return "\n".join(f"--- {name}\n{text}" for name, text in logs.items())

    def flush_broker(self) -> None:
        """It forgets all bells."""
        if self.servers:
            with redis.Redis.from_url(self.servers.redis.url) as client:
                client.flushall()
        else:
            for task in (self.portal.folder / "broker").glob("*.task"):
                task.unlink(missing_ok=True)

    def restart_broker(self) -> None:
        """Redis, which keeps nothing."""
        assert self.servers
        self.servers.redis.stop()
        self.servers.redis.start()

    def crash_database(self) -> None:
        """PostgreSQL, which recovers from its log."""
        assert self.servers
        self.servers.postgresql.crash()
        self.servers.postgresql.start()

    def calm_down(self) -> None:
        """No more orders, fair weather, nobody frozen; returns when every message has come to its end."""
        for member in self.members.values():
            member.put_out()
        self.change_weather(FAIR)
        if any(member.is_frozen() for member in self.members.values()):
            self.wait_for(lambda: not any(member.is_frozen() for member in self.members.values()), "all are awake")
            # Whoever woke has time to do what it must not.
            time.sleep(WAKING)
        self.wait_for(self._has_settled, "every message comes to its end")

    def _has_settled(self) -> bool:
        try:
            return books.under_way(self.portal.environment) == 0
        except Away:
            return False

    def somebody_waits(self) -> bool:
        """Whether a provider took a message whose attempt has no outcome yet."""
        taken = {one.phone for one in books.theirs(self.book) if one.taken}
        return bool(taken & books.in_the_air(self.portal.environment))

    def judge(self, answered: Mapping[str, int]) -> Verdict:
        """Compares the books; `answered` are all messages that were ever accepted here."""
        return judge(answered, books.ours(self.portal.environment), books.theirs(self.book))


@contextmanager
def on_board(folder: Path, servers: Servers | None, workers: int, beats: int = 1) -> Iterator[Crew]:
    """A new installation in this folder, embedded where there are no servers, with its providers; killed at the end."""
    with ExitStack() as stack:
        portal = stack.enter_context(Portal(folder, PRODUCTION | servers.addresses if servers else {}))
        crew = Crew(portal, servers, folder / "book.sqlite3", workers, beats)
        port = free_port()
        command = [sys.executable, "-m", "tests.services.fire.providers", str(crew.book), str(port)]
        provider = started(command, folder / "providers.log", None, portal.environment, REPOSITORY, by=signal.SIGKILL)
        stack.callback(provider.wait)
        stack.callback(provider.kill)
        for member in crew.members.values():
            stack.callback(member.kill)
        wait_for(lambda: _answers(port), "the providers answer")
        crew.set_sail(f"http://127.0.0.1:{port}")
        yield crew


@contextmanager
def own_crew(folder: Path, workers: int, beats: int = 1) -> Iterator[Crew]:
    """The same on the engine of this test run: with a PostgreSQL and a Redis of its own, or embedded."""
    with ExitStack() as stack:
        servers = stack.enter_context(Servers()) if os.environ[ENGINE] == "postgresql" else None
        yield stack.enter_context(on_board(folder, servers, workers, beats))


def _answers(port: int) -> bool:
    """Whether the providers do."""
    with suppress(requests.ConnectionError, requests.Timeout):
        requests.put(f"http://127.0.0.1:{port}/weather", data=FAIR.text(), timeout=10).raise_for_status()
        return True
    return False
