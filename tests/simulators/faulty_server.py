"""A TCP server on 127.0.0.1 that goes wrong in one chosen way, and remembers every byte it was sent."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

#: What the server does with one connection; it returns when it is done with it, and the connection is closed.
Behaviour = Callable[["FaultyServer", socket.socket], None]


class FaultyServer:
    """Use it as a context manager; `url` is its address."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.connections = 0
        #: Whole HTTP requests, in the order in which they were read.
        self.requests: list[bytes] = []
        self.was_connected = threading.Event()
        self.was_asked = threading.Event()
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "FaultyServer":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        # Closing alone would not wake a thread that waits in accept or recv.
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                self.was_connected.set()
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.behaviour(self, connection)
        connection.close()

    def read_request(self, connection: socket.socket) -> bytes:
        """One whole request, remembered; empty when the other side closed."""
        request = b""
        while not is_whole(request):
            piece = connection.recv(65536)
            if not piece:
                return b""
            request += piece
        self.requests.append(request)
        self.was_asked.set()
        return request


def is_whole(request: bytes) -> bool:
    """Whether these bytes are a request to its end, by the length that it tells."""
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


def http(body: bytes = b"ok", status: str = "200 OK", *headers: str) -> bytes:
    """A complete answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(answer: bytes) -> Behaviour:
    """Gives every request the same answer and keeps the connection open."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        while server.read_request(connection):
            connection.sendall(answer)

    return serve


def answers_slowly(answer: bytes, seconds: float) -> Behaviour:
    """Answers after a while."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        while server.read_request(connection):
            server.closing.wait(seconds)
            connection.sendall(answer)

    return serve


def answers_once_then_hangs_up(answer: bytes) -> Behaviour:
    """Keeps the connection, reads a second request on it, and closes without a word."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(answer)
        server.read_request(connection)

    return serve


def breaks_off_after(part: bytes) -> Behaviour:
    """Reads a request, sends some bytes and closes."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(part)

    return serve


def goes_silent_after(part: bytes) -> Behaviour:
    """Reads a request, sends some bytes, and neither more nor an end."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(part)
        server.closing.wait()

    return serve


def resets(server: FaultyServer, connection: socket.socket) -> None:
    """Reads a request and resets the connection."""
    server.read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stays_silent_and(then: Callable[[], None]) -> Behaviour:
    """Reads a request, lets happen what is to happen then, and never answers."""

    def serve(server: FaultyServer, connection: socket.socket) -> None:
        server.read_request(connection)
        then()
        server.closing.wait()

    return serve


#: Reads a request and never answers.
stays_silent = stays_silent_and(lambda: None)


def sends_without_end(server: FaultyServer, connection: socket.socket) -> None:
    """A body that never ends."""
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def hangs_up_at_once(server: FaultyServer, connection: socket.socket) -> None:
    """Closes whatever connects; reads one piece first, so that what was sent shows."""
    server.requests.append(connection.recv(65536))


def deaf_port() -> Iterator[int]:
    """A port where connections are never established: its queue is full and nobody takes from it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()
