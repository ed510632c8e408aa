"""Where the table is measured: a PostgreSQL that keeps its word, a Redis, a provider, and portals in production's way.

Everything is on 127.0.0.1 in folders of its own, ends with this process, and is gone afterwards.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests

from bench import STAGED
from tests.engine import PRODUCTION, REPOSITORY
from tests.servers import Servers, started
from tests.services.stack import Portal
from tests.waiting import PATIENCE, wait_for

#: How often the database is asked whether all is done, in seconds.
GLANCE = 0.02
#: A gateway that limits nothing here.
WIDE = {"rate_per_second": 10_000, "max_in_flight": 1000}
SETTINGS = {
    "method": "POST", "content_type": "json", "body": '{"to": "{{to}}", "text": "{{text}}"}', "reference": "json:$.id",
}  # fmt: skip
BODY = {"phone_number": "+79160000000", "message": "Wi-Fi is back in the lobby"}


class House(Portal):
    """One portal on a database of its own. Its processes can be halted, so that only what is measured runs."""

    def __init__(self, folder: Path, stage: "Stage", name: str, number: int) -> None:
        addresses = {"DATABASE_URL": stage.database(name), "REDIS_URL": stage.redis(number)}
        super().__init__(folder, PRODUCTION | addresses)
        self.environment |= {
            STAGED: "1", "GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }  # fmt: skip
        self.database = psycopg.connect(addresses["DATABASE_URL"], autocommit=True)
        #: Messages up to this one are the past.
        self.last = 0

    def start(self) -> None:
        """Web, a worker and beat, each by itself; signed in, and with a gateway at the provider."""
        made = self.first_run()
        assert made.returncode == 0, made.stderr.decode()
        web = ["gunicorn", "--config", "python:portal.web", "bench.table.wsgi:application"]
        self.runner = self._begin(*web)
        self.add_worker("first")
        self._begin("celery", "--app", "portal", "--quiet", "beat", "--pidfile=")
        wait_for(self.is_ready, f"/readyz says 200; the output was:\n{self.output()}")
        self.login()

    def _begin(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        path = str(Path(sys.executable).parent / program)
        return started([path, *words], self.log, environment=self.environment, folder=REPOSITORY)

    def add_gateway(self, name: str, url: str, **limits: float) -> None:
        """A gateway at the simulated provider."""
        settings = SETTINGS | {"url": url}
        self.call("POST", "sms_gateways", {"id": name, "provider": "http", "settings": settings, **limits})

    def halt(self, *words: str) -> None:
        """Stops those of its processes whose command line holds the words, without ending them."""
        self._tell(signal.SIGSTOP, *words)

    def go_on(self, *words: str) -> None:
        """Lets them run again."""
        self._tell(signal.SIGCONT, *words)

    def _tell(self, how: signal.Signals, *words: str) -> None:
        for pid in self.processes(*words):
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def add_worker(self, name: str) -> subprocess.Popen[bytes]:
        """One more."""
        return self._begin(
            *("celery", "--app", "portal", "--quiet", "worker", "--pool", "threads", "--concurrency", "64"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{name}@%h"),
        )

    def queue(self, many: int, gateway: str = "wide") -> None:
        """Accepts one message, whose bell rings, and has the database write it again until there are so many."""
        body = {"sms_gateway": gateway, **BODY}
        number = self.call("POST", "sms_gateways/send_sms", body)["item"]["id"]
        columns = [name for (name,) in self.database.execute(COLUMNS)]
        values = [VALUES.get(name, name) for name in columns]
        self.database.execute(
            f"INSERT INTO messaging_message ({', '.join(columns)}) SELECT {', '.join(values)} "
            "FROM messaging_message, generate_series(1, %s) AS n WHERE id = %s",
            [many - 1, number],
        )

    def inside(self, call: str) -> Any:
        """What a function of `inside.py` gives in a process of this portal."""
        return self.look(f"__import__('bench.table.inside', fromlist=['inside']).{call}")

    def drained(self) -> float:
        """Seconds until every message since the past has its result."""
        seconds = until(lambda: self.one(UNDONE) == 0)
        assert not self.one(UNFINISHED, self.last), "a message waits for something else than a worker"
        return seconds

    def one(self, sql: str, *values: object) -> int:
        """The number that a query gives."""
        row = self.database.execute(sql, values).fetchone()
        assert row
        return int(row[0] or 0)

    def forget(self) -> None:
        """Takes away what was accepted since the past."""
        for table in ("attempt", "step", "deliveryevent"):
            self.database.execute(f"DELETE FROM messaging_{table} WHERE message_id > %s", [self.last])
        self.database.execute("DELETE FROM messaging_message WHERE id > %s", [self.last])
        self.database.execute("DELETE FROM messaging_batch")

    def note_past(self) -> None:
        """What there is now is the past."""
        self.last = self.one("SELECT max(id) FROM messaging_message")


COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_name = 'messaging_message' AND is_identity = 'NO' AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
VALUES = {
    "phone": "'+7916' || lpad(n::text, 7, '0')", "created": "now()", "due_at": "now()",
    "valid_until": "now() + interval '12 hours'", "caller_reference": "NULL",
}  # fmt: skip
#: Due, or in a worker's hands: where no receipt is expected and a provider cannot be asked, nothing else is unfinished.
#: Asked so often that each is the first entry of its index; by their ids it would walk over all that are finished.
UNDONE = """
SELECT count(*) FROM (
    (SELECT FROM messaging_message WHERE due_at IS NOT NULL ORDER BY gateway_id, priority, due_at LIMIT 1)
    UNION ALL (SELECT FROM messaging_message WHERE lease_until IS NOT NULL ORDER BY lease_until LIMIT 1)
) AS undone
"""
#: The same by the message's end, asked once.
UNFINISHED = "SELECT exists(SELECT FROM messaging_message WHERE id > %s AND finished_at IS NULL)::int"


def until(done: Callable[[], bool]) -> float:
    """Seconds until it is."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() > began + PATIENCE:
            raise AssertionError("what is measured does not come to an end")
        time.sleep(GLANCE)
    return time.perf_counter() - began


@dataclass
class Stage:
    """What all rows share."""

    servers: Servers
    provider: str
    ends: ExitStack

    def database(self, name: str) -> str:
        """The address of a new database."""
        with psycopg.connect(self.servers.postgresql.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.servers.postgresql.url.rpartition("/")[0] + f"/{name}"

    def redis(self, number: int) -> str:
        """The address of one of Redis' databases."""
        return self.servers.redis.url.rpartition("/")[0] + f"/{number}"

    def house(self, name: str, number: int) -> House:
        """A portal with a gateway that limits nothing; `number` is its database of Redis."""
        folder = self.folder()
        house = House(folder, self, name, number)
        self.ends.enter_context(house)
        house.start()
        house.add_gateway("wide", self.provider, **WIDE)
        return house

    def folder(self) -> Path:
        """A new one that is gone afterwards."""
        return Path(self.ends.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-")))

    def arrivals(self) -> dict[str, float]:
        """When the provider had each code, by its phone."""
        found: dict[str, float] = requests.get(self.provider, timeout=30).json()
        return found


@contextmanager
def stage() -> Iterator[Stage]:
    """Servers and provider, until the end of the block."""
    with ExitStack() as ends:
        servers = ends.enter_context(Servers(durable=True))
        program = Path(__file__).with_name("simulator.py")
        log = servers.folder / "provider"
        process = started([sys.executable, str(program)], log)
        ends.callback(process.kill)
        until(lambda: log.read_text().endswith("\n"))
        yield Stage(servers, f"http://127.0.0.1:{log.read_text().strip()}/", ends)
