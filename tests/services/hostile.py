"""Requests that no library would send, and what a portal's web processes take of the machine's memory."""

import re
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.services.stack import Portal
from tests.waiting import PATIENCE

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PIECE = b"x" * 65_536


@dataclass(frozen=True)
class Told:
    """The answer, and how much of the body was sent before it came."""

    status: int
    body: str
    sent: int


def tell(portal: Portal, head: bytes, body: Iterable[bytes] = ()) -> Told:
    """Sends these bytes as they are, the body until there is an answer; a connection that is cut is none."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=PATIENCE) as connection:
        sent = 0
        # Who is told at once that it is too much may be cut off while still sending.
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(head)
            for piece in body:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(piece)
                sent += len(piece)
        answer = _answer(connection)
    head_of_answer, _, text = answer.partition(b"\r\n\r\n")
    return Told(int(head_of_answer.split()[1]), text.decode(), sent)


def _answer(connection: socket.socket) -> bytes:
    found = b""
    while not _is_whole(found) and (more := connection.recv(65_536)):
        found += more
    return found


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    announced = LENGTH.search(head)
    return bool(end and announced) and len(body) >= int(announced[1]) if announced else False


@contextmanager
def steady_memory(portal: Portal, mebibytes: int) -> Iterator[None]:
    """No web process takes so much more at any moment meanwhile than it did before."""
    pids = portal.processes("gunicorn")
    before = {pid: _kibibytes(pid, "VmRSS") for pid in pids}
    for pid in pids:
        # From here on the most it ever had is counted anew (Linux, proc_pid_clear_refs(5)).
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    yield
    grown = {pid: _kibibytes(pid, "VmHWM") - before[pid] for pid in pids}
    assert pids == portal.processes("gunicorn"), "a web process ended"
    assert max(grown.values()) < mebibytes * 1024, grown


def _kibibytes(pid: int, figure: str) -> int:
    found = re.search(rf"^{figure}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])
