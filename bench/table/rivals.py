"""What sending is measured against: the usual Celery application, and a bare loop of aiohttp."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg
from celery import Celery

from bench import STAGED
from bench.table.stage import GLANCE, WIDE, Stage, until
from tests.engine import REPOSITORY
from tests.servers import started
from tests.services.stack import processes_of

QUEUE = """
INSERT INTO usual_sms (phone, text, state, reference)
SELECT '+7916' || lpad(n::text, 7, '0'), 'Wi-Fi is back in the lobby', 'queued', '' FROM generate_series(1, %s) AS n
RETURNING id
"""


class Usual:
    """Workers of Celery with a task for each message, until the end of the block; halted where they are not measured.

    `number` is their database of Redis. They are known by the folder in their environment.
    """

    def __init__(self, stage: Stage, number: int, children: int) -> None:
        self.folder = stage.folder()
        self.children = children
        url, redis = stage.database(f"usual_{number}"), stage.redis(number)
        environment = os.environ | {
            STAGED: "1", "DATABASE_URL": url, "REDIS_URL": redis, "BENCH_PROVIDER": stage.provider,
            "DJANGO_SETTINGS_MODULE": "bench.table.usual.settings", "PORTAL_VAR": str(self.folder),
        }  # fmt: skip
        made = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        subprocess.run(made, env=environment, cwd=REPOSITORY, check=True)
        self.database = psycopg.connect(url, autocommit=True)
        self.bell = Celery(broker=redis)
        self.environment = environment

    def __enter__(self) -> "Usual":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A worker replaces children that are gone, until it is gone itself.
        while list(processes_of(self.folder)):
            self._tell(signal.SIGKILL)
            time.sleep(GLANCE)
        self.database.close()

    def add_worker(self, name: str) -> None:
        """One more, which is there when this returns."""
        celery = str(Path(sys.executable).parent / "celery")
        node = f"{name}@bench"
        command = [celery, "--app", "bench.table.usual.worker", "worker", "--hostname", node]
        command += ["--concurrency", str(self.children), "--loglevel", "ERROR"]
        started(command, self.folder / name, environment=self.environment, folder=REPOSITORY)
        until(lambda: bool(self.bell.control.ping([node])))
        self._tell(signal.SIGSTOP)

    def sends(self, messages: int) -> float:
        """Messages per second from the queue to their result."""
        for (key,) in self.database.execute(QUEUE, [messages]).fetchall():
            self.bell.send_task("send", (key,))
        self._tell(signal.SIGCONT)
        seconds = until(self._all_sent)
        self._tell(signal.SIGSTOP)
        return messages / seconds

    def _all_sent(self) -> bool:
        found = self.database.execute("SELECT NOT EXISTS (SELECT FROM usual_sms WHERE state = 'queued')").fetchone()
        return bool(found and found[0])

    def _tell(self, how: signal.Signals) -> None:
        for pid, _command in processes_of(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, how)


def bare(stage: Stage, messages: int) -> float:
    """Messages per second that a loop of aiohttp hands over, with as many at once as our gateway."""
    command = [sys.executable, "-m", "bench.table.bare", stage.provider, str(messages), str(WIDE["max_in_flight"])]
    done = subprocess.run(
        command, env=os.environ | {STAGED: "1"}, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
