"""Several machines with one portal: a state folder each, the same keys, the same database and broker.

Here they are processes of one machine; what tells them apart is what would: nothing but the network is between them.
"""

import shlex
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from honcho.environ import parse_procfile

from portal.processes import PROCFILE
from tests.engine import REPOSITORY
from tests.services.stack import Portal

#: A socket's state in the kernel's list.
LISTEN = "0A"


class Machine(Portal):
    """One more machine for an installation that runs: with a worker and nothing else."""

    def __init__(self, folder: Path, installation: Portal) -> None:
        folder.mkdir()
        super().__init__(folder, {}, bare=True)
        self.folder.mkdir(mode=0o700)
        own = {name: self.environment[name] for name in ("PORTAL_VAR", "PORT")}
        self.environment = installation.environment | own

    def __enter__(self) -> Self:
        return self

    def start_worker(self) -> int:
        """Returns at once; the worker's process id."""
        command = shlex.split(parse_procfile(PROCFILE.read_text()).processes["worker"])
        with self.log.open("ab") as output:
            self.runner = subprocess.Popen(
                [Path(sys.executable).with_name(command[1]), *command[2:]],
                stdout=output, stderr=output, cwd=REPOSITORY, env=self.environment, start_new_session=True,
            )  # fmt: skip
        return self.runner.pid

    def is_at_work(self) -> bool:
        """Whether the worker waits for bells; fails when it has stopped."""
        assert self.is_running(), f"the worker stopped by itself:\n{self.output()}"
        return " ready." in self.output()


def holder_of(port: int, processes: Iterable[int]) -> int:
    """Which of the processes has our end of the loopback connection with this local port; 0 where none has."""
    sockets = {f"socket:[{row[9]}]" for row in _connections() if int(row[1].rpartition(":")[2], 16) == port}
    return next((pid for pid in processes if sockets & _open_in(pid)), 0)


def is_listened_at(port: int) -> bool:
    """Whether somebody on this machine listens there, who is not told of the question."""
    return any(row[3] == LISTEN and int(row[1].rpartition(":")[2], 16) == port for row in _connections())


def _open_in(process: int) -> set[str]:
    """What this process has open, but for what it closes while we look; nothing where it is gone."""
    found = set()
    with suppress(OSError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _connections() -> list[list[str]]:
    """As the kernel lists them: the second field is the local address, the fourth the state, the tenth the socket."""
    lines = [line for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return [line.split() for line in lines]
