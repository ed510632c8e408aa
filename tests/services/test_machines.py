"""Who holds a connection is found however busy the process is; what two machines share is told by it."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.services.machines import holder_of

LOOKS = 100
#: Connects to the port, tells its own, and then opens and closes files below that connection for ever.
BUSY = """
import socket, sys
below = [open("/dev/null") for _ in range(30)]
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(connection.getsockname()[1], flush=True)
while True:
    for file in below:
        file.close()
    below = [open("/dev/null") for _ in range(30)]
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_connection_is_found_while_its_process_closes_files(server: socket.socket) -> None:
    command = [sys.executable, "-c", BUSY, str(server.getsockname()[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout
            port = int(busy.stdout.readline())
            assert {holder_of(port, [busy.pid]) for _ in range(LOOKS)} == {busy.pid}
            assert holder_of(port + 1, [busy.pid]) == 0
        finally:
            busy.kill()


def test_a_process_that_is_gone_holds_nothing(server: socket.socket) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert holder_of(server.getsockname()[1], [gone.pid]) == 0
