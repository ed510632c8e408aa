"""Debian's Kannel with its fake SMSC, in a folder and at ports of its own; and the operator behind that SMSC.

Kannel's driver `fake` waits for one client, to which it writes a line for every segment it hands over.
"""

import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote_to_bytes

import requests

from tests.servers import ServerMissing, free_port
from tests.services.machines import is_listened_at
from tests.waiting import wait_for

LOGIN, PASSWORD = "portal", "kannel p&ssword%"
MISSING = "Kannel is missing: apt-get install kannel"
CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
store-type = file
store-location = {folder}/store

group = smsc
smsc = fake
smsc-id = fake
port = {smsc}
our-host = 127.0.0.1
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {login}
password = "{password}"
max-messages = 10
concatenation = true
"""
INBOUND = """
group = sms-service
keyword = default
max-messages = 0
get-url = "{get_url}"
"""


class Kannel:
    """Use it as a context manager: both boxes run, and the operator is connected. `url` is smsbox's address."""

    def __init__(self, folder: Path, get_url: str = "") -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("admin", "boxes", "smsc", "sendsms")}
        self.url = f"http://127.0.0.1:{self.ports['sendsms']}"
        self.operator = Operator(self.ports["smsc"])
        self.processes: list[subprocess.Popen[bytes]] = []
        written = CONFIGURATION.format(folder=folder, login=LOGIN, password=PASSWORD, **self.ports)
        self.configuration = folder / "kannel.conf"
        self.configuration.write_text(written + (INBOUND.format(get_url=get_url) if get_url else ""))

    def __enter__(self) -> "Kannel":
        try:
            self._start("bearerbox")
            # It answers before it listens for smsbox, which gives up where nobody listens.
            wait_for(lambda: self.status() is not None, f"bearerbox answers; {self.folder}")
            wait_for(lambda: is_listened_at(self.ports["boxes"]), f"bearerbox takes smsbox; {self.folder}")
            self._start("smsbox")
            self.operator.connect()
            wait_for(
                lambda: self.is_connected() and is_listened_at(self.ports["sendsms"]), f"Kannel is ready; {self.folder}"
            )
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def status(self) -> str | None:
        """What bearerbox says of itself; None while it does not answer."""
        address = f"http://127.0.0.1:{self.ports['admin']}/status.txt"
        try:
            return requests.get(address, params={"password": "admin"}, timeout=10).text
        except requests.RequestException:
            return None

    def is_connected(self) -> bool:
        """Whether smsbox and the operator are connected."""
        status = self.status() or ""
        return "smsbox:" in status and "(online" in status

    def _start(self, box: str) -> None:
        # Debian keeps them among the programs of the administrator.
        program = shutil.which(box) or shutil.which(box, path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise ServerMissing(MISSING)
        with (self.folder / f"{box}.log").open("wb") as output:
            self.processes.append(
                subprocess.Popen(
                    [program, "-v", "1", str(self.configuration)],
                    stdout=output,
                    stderr=output,
                    cwd=self.folder,
                    start_new_session=True,
                )
            )

    def _stop(self) -> None:
        self.operator.disconnect()
        # Neither has anything that must be saved, and bearerbox takes its time to end in order.
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@dataclass(frozen=True)
class Segment:
    """What the operator is handed over: `header` is empty where the message has one segment only."""

    sender: str
    phone: str
    header: bytes
    text: bytes


class Operator:
    """The client of Kannel's fake SMSC: remembers what it got, and lets guests write."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.segments: list[Segment] = []
        self._connection: socket.socket | None = None
        self._reader: threading.Thread | None = None

    def connect(self) -> None:
        """Connects once the SMSC listens. Nobody may try the port before: the first to connect gets what waited."""
        self._connection = wait_for(self._connected, "Kannel's fake SMSC listens")
        self._reader = threading.Thread(target=self._read, args=(self._connection,), name="operator")
        self._reader.start()

    def _connected(self) -> socket.socket | None:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", self.port))
        return None

    def disconnect(self) -> None:
        """Hangs up; what is sent from now on waits in Kannel."""
        if self._connection and self._reader:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._reader.join()
            self._connection.close()
            self._connection = None

    def write(self, phone: str, text: str) -> None:
        """A guest writes, in UCS-2."""
        assert self._connection
        encoded = "".join(f"%{byte:02x}" for byte in text.encode("utf-16-be"))
        self._connection.sendall(f"{phone} 1234 ucs2 {encoded}\n".encode())

    def got(self, phone: str) -> list[Segment]:
        """The segments for one phone, in the order of their message."""
        return sorted((segment for segment in self.segments if segment.phone == phone), key=lambda one: one.header)

    def text(self, phone: str, charset: str, segments: int = 1) -> str:
        """The whole message for a phone, once so many segments have come."""
        wait_for(lambda: len(self.got(phone)) >= segments, f"the operator has {segments} segments")
        return b"".join(segment.text for segment in self.got(phone)).decode(charset)

    def _read(self, connection: socket.socket) -> None:
        with suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                self.segments.append(_segment(line.removesuffix(b"\n")))


def _segment(line: bytes) -> Segment:
    """`sender phone text words`, `sender phone data|ucs-2 %XX`, or `sender phone udh %XX data|ucs-2 %XX`."""
    sender, phone, kind, rest = line.split(b" ", 3)
    header = b""
    if kind == b"udh":
        header, kind, rest = rest.split(b" ", 2)
    text = rest if kind == b"text" else unquote_to_bytes(rest.replace(b"+", b" "))
    return Segment(sender.decode(), phone.decode(), unquote_to_bytes(header.replace(b"+", b" ")), text)
