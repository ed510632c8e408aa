"""PostgreSQL and Redis (or Valkey) of a test run's own: a temporary folder, free ports, gone afterwards."""

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg

POSTGRESQL_MISSING = "PostgreSQL's programs are missing: apt-get install postgresql"
REDIS_MISSING = "Redis is missing: apt-get install redis-server"

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
#: Below those that Linux gives to whoever asks for any port.
NEVER_GIVEN = range(20_000, 32_000)
#: Those that this process has had.
_had: set[int] = set()


class ServerMissing(Exception):
    """A program that the tests need is not installed; the text names the command that installs it."""


class Servers:
    """Both servers, running until `stop`, or for as long as the block that has them as its context manager.

    `durable`: what is committed is on disk, as it is where somebody relies on it.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-servers-"))
        self.redis = Redis(self.folder)
        self.postgresql = PostgreSQL(self.folder, durable=durable)
        try:
            self.postgresql.make()
            self.postgresql.start()
            self.redis.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Servers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> dict[str, str]:
        """The environment of a portal that uses them."""
        return {"DATABASE_URL": self.postgresql.url, "REDIS_URL": self.redis.url}

    def stop(self) -> None:
        """Ends both at once: nobody needs their files any more."""
        self.redis.stop()
        self.postgresql.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQL:
    """A cluster of its own, to be crashed and started again at the same port."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder / "postgresql"
        self._durable = durable
        self.port = free_port()
        self.url = f"postgres://portal@127.0.0.1:{self.port}/postgres"
        self._log = folder / "postgresql.log"
        self._owner = _unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """An empty cluster."""
        self.folder.mkdir()
        if self._owner:
            # PostgreSQL refuses to run as root.
            self.folder.parent.chmod(0o711)
            shutil.chown(self.folder, self._owner)
        subprocess.run(
            [
                postgresql_program("initdb"),
                *("-D", self.folder, "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"),
            ],
            check=True, user=self._owner, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip

    def start(self) -> None:
        """Returns when it answers."""
        # Several portals with many threads each run beside each other. Nothing here outlives the machine, and to empty
        # all tables after a test takes a second where each of their files is put on disk.
        settings = ["max_connections=300", *(() if self._durable else ("fsync=off", "full_page_writes=off"))]
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        options += [word for setting in settings for word in ("-c", setting)]
        command = [postgresql_program("postgres"), "-D", str(self.folder), *options]
        self._process = started(command, self._log, self._owner)
        _wait_for_port(self.port, self._process, self._log)
        _wait_for_answers(self.port)

    def stop(self) -> None:
        """Ends it; whoever is connected is cut off."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As `pg_ctl stop -m immediate`: every client is cut off, and the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None


class Redis:
    """One that keeps nothing; to be stopped and started again at the same port, with nothing in it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._log = folder / "redis.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            raise ServerMissing(REDIS_MISSING)
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = started(command, self._log, None)
        _wait_for_port(self.port, self._process, self._log)

    def stop(self) -> None:
        """Ends it; what was in it is lost."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None


def started(
    command: list[str],
    log: Path,
    owner: str | None = None,
    environment: dict[str, str] | None = None,
    folder: str | Path = "/",
    by: signal.Signals = signal.SIGINT,
) -> subprocess.Popen[bytes]:
    """A program that ends with this process, whatever ends that, and by this signal; its output is added to the log."""
    # A session of their own: Ctrl-C in the terminal is for pytest, which then stops them in order.
    # A pytest that is killed stops nothing, and Linux does it instead.
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=owner,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, by),  # noqa: PLW1509 — it only tells the kernel something
        )


def free_port() -> int:
    """A TCP port of the loopback that nobody listens at, and none of those that a system gives to who asks for any.

    A simulator that asks for any would otherwise get it before its owner listens there, and so would another who asks
    here: no process gets one twice, nor any that another of xdist's workers may get.
    """
    while True:
        port = secrets.choice([port for port in _share() if port not in _had])
        _had.add(port)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def _share() -> range:
    # Even ones are for whoever is no worker: the process that starts the workers, and programs without pytest.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return NEVER_GIVEN[::2]
    return NEVER_GIVEN[1::2][int(worker.removeprefix("gw")) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]


def postgresql_program(name: str) -> str:
    # Debian keeps them out of PATH, one folder per version.
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if not found:
        raise ServerMissing(POSTGRESQL_MISSING)
    return found


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"a test server did not start:\n{log.read_text(errors='replace')}")


def _wait_for_answers(port: int) -> None:
    # PostgreSQL listens before it is ready to answer.
    for _ in range(600):
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="portal", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("PostgreSQL listens and does not answer")
