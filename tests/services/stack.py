"""The portal as its users run it: real processes in a state folder of their own, to be killed and started again."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import redis
import requests

from tests.engine import REPOSITORY, environment_of_a_portal
from tests.servers import free_port
from tests.services import tables
from tests.services.databases import is_held
from tests.waiting import PATIENCE, wait_for

ADMIN_PASSWORD = "canary-admin-8TqLw2vZ"
#: The environment of a portal with a reverse proxy on this machine, which says from where its callers come, and
#: where each test may sign in.
BEHIND_A_PROXY = {"TRUSTED_PROXIES": "127.0.0.1/32", "API_SIGN_INS_PER_MINUTE": "0"}


class Portal:
    """One installation. Its processes are known by the state folder in their environment.

    Use it as a context manager: at the end whatever still runs of it is killed. On SQLite its tables are there before
    its first start, unless it is to be `bare`.
    """

    def __init__(self, folder: Path, servers: dict[str, str], *, bare: bool = False) -> None:
        self.folder = folder / "var"
        self.log = folder / "output.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = environment_of_a_portal() | servers
        self.environment |= {
            "PORTAL_VAR": str(self.folder),
            "PORT": str(self.port),
            "PORTAL_ADMIN_PASSWORD": ADMIN_PASSWORD,
        }
        self.token = ""
        self.runner: subprocess.Popen[bytes] | None = None
        if not bare and not self.environment["DATABASE_URL"]:
            self.folder.mkdir(mode=0o700)
            tables.put_into(self.folder)

    def __enter__(self) -> "Portal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_everything()

    def start(self) -> None:
        """As `make run` does: what a first run makes, then all processes; returns when the portal is ready."""
        made = self.first_run()
        with self.log.open("ab") as output:
            output.write(made.stdout + made.stderr)
            output.flush()
            assert made.returncode == 0, made.stderr.decode()
            self.runner = subprocess.Popen(
                [sys.executable, "-m", "portal.processes"],
                stdout=output, stderr=output, cwd=REPOSITORY, env=self.environment, start_new_session=True,
            )  # fmt: skip
        wait_for(self.is_ready, f"/readyz says 200; the output was:\n{self.output()}")

    def is_running(self) -> bool:
        """Whether the process lives that `make run` becomes."""
        return self.runner is not None and self.runner.poll() is None

    def is_ready(self) -> bool:
        """Whether `/readyz` says so."""
        assert self.is_running(), f"the portal stopped by itself:\n{self.output()}"
        try:
            return requests.get(f"{self.address}/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> int:
        """SIGTERM to the process that `make run` becomes, and no violence; its exit code."""
        assert self.runner is not None
        self.runner.terminate()
        return self.runner.wait(timeout=PATIENCE)

    def kill_worker(self) -> None:
        """kill -9 of the worker alone; honcho then stops the others."""
        assert self.runner is not None
        # The web may say that it is ready because a worker before this one was seen a moment ago.
        for pid in wait_for(lambda: self.processes("celery", "worker"), "there is a worker"):
            _kill(pid)
        self.runner.wait(timeout=PATIENCE)

    def kill_everything(self) -> None:
        """kill -9 of every process, the runner first so that it cannot stop the others in an orderly manner."""
        if self.runner is not None:
            self.runner.kill()
            self.runner.wait(timeout=PATIENCE)
        while pids := self.processes():
            for pid in pids:
                _kill(pid)

    def freeze(self, pids: Sequence[int]) -> None:
        """They stand still until `thaw`, and none of them in a transaction, so that nobody waits for the database."""
        wait_for(lambda: self._hold(pids), "they stand still, and none of them in a transaction")

    def _hold(self, pids: Sequence[int]) -> bool:
        """Whether they stand still as they should; else they go on."""
        with ExitStack() as otherwise:
            otherwise.callback(self.thaw, pids)
            _send(pids, signal.SIGSTOP)
            wait_for(lambda: all(map(stands_still, pids)), "they stand still")
            if is_held(self.environment):
                return False
            otherwise.pop_all()
        return True

    def thaw(self, pids: Sequence[int]) -> None:
        """Those that still live go on."""
        _send(pids, signal.SIGCONT)

    def processes(self, *words: str) -> list[int]:
        """Living processes of this installation whose command line holds all the words."""
        return [pid for pid, command in processes_of(self.folder) if all(word in command for word in words)]

    def output(self) -> str:
        """Everything any of its processes printed."""
        return self.log.read_text(errors="replace")

    def login(self) -> None:
        """Signs in as the administrator; later calls of `call` send the token."""
        answer = self.call("POST", "login", {"username": "admin", "password": ADMIN_PASSWORD})
        self.token = answer["token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of the API that must succeed."""
        answer = requests.request(
            method, f"{self.address}/api/v1/{path}", json=body, headers=self._headers(), timeout=PATIENCE
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        read: dict[str, Any] = answer.json()
        return read

    def message(self, number: int) -> dict[str, Any]:
        """A message as the API shows it."""
        item: dict[str, Any] = self.call("GET", f"message/{number}")["item"]
        return item

    def look(self, expression: str) -> Any:
        """What the database says: a Python expression over the models, evaluated in a process of its own."""
        script = f"import json; print(json.dumps({expression}))"
        done = self._run("manage.py", "shell", "--no-imports", "-c", MODELS + script)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def ask_desk(self, call: str) -> Any:
        """What a function of `tests.services.desk` gives, called in this portal's environment."""
        return self.look(f"__import__('tests.services.desk', fromlist=['desk']).{call}")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def first_run(self) -> subprocess.CompletedProcess[bytes]:
        """Prepares the installation; its output says what was done or what is in the way."""
        return self._run("manage.py", "first_run")

    def _run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=self.environment,
            timeout=PATIENCE,
            capture_output=True,
            check=False,
        )


MODELS = """
from gateways.models import *
from guests.models import *
from messaging.models import *
from portal.models import *
"""


@contextmanager
def own_servers(worker: str, *, bare: bool = False) -> Iterator[dict[str, str]]:
    """The addresses of a new database and of a Redis database that no other pytest worker uses; none on SQLite.

    The portal's tables are in the database, unless it is to be `bare`.
    """
    if not os.environ["DATABASE_URL"]:
        yield {}
        return
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"portal_{uuid.uuid4().hex}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {'template1' if bare else tables.in_postgresql()}")
    number = 1 + int("".join(filter(str.isdigit, worker)) or 0)
    broker = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"
    # Of the portal before it may hold bells, and how many have signed in within this minute.
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
    yield {"DATABASE_URL": f"{base}/{name}", "REDIS_URL": broker}
    wait_for(lambda: _is_dropped(name), f"nobody uses {name} any more")


def _is_dropped(name: str) -> bool:
    """PostgreSQL waits five seconds for those that it has told to go."""
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except psycopg.errors.ObjectInUse:
        return False
    return True


def processes_of(folder: Path) -> Iterator[tuple[int, str]]:
    """Living processes with this state folder in their environment: id and command line."""
    marker = f"PORTAL_VAR={folder}\0".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if marker in (entry / "environ").read_bytes():
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue


def stands_still(pid: int) -> bool:
    """Whether every thread of it that lives has stopped: they do so one by one, some time after the signal."""
    return set(_threads(pid)) == {"T"}


def _threads(pid: int) -> Iterator[str]:
    """How each of its living threads is, in a letter: `T` has stopped."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
                if state not in {"Z", "X"}:
                    yield state


def _kill(pid: int) -> None:
    _send([pid], signal.SIGKILL)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
