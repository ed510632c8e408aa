"""What happened on the network, told as NotSent or Ambiguous; against real sockets on 127.0.0.1."""

import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

from gateways import network, sandbox, transport
from gateways.http import LARGEST_BODY, HttpRequest, HttpResponse
from gateways.network import Trail
from gateways.outcomes import Ambiguous, NotSent
from gateways.transport import Call, Flight, Landing, fetch
from portal import clock
from tests.servers import free_port
from tests.simulators import faulty_server as server
from tests.simulators.faulty_server import Behaviour, FaultyServer, http
from tests.simulators.loop_clock import run_out_of_time
from tests.waiting import PATIENCE, wait_for

#: For what nobody answers, and for an answer that comes late.
SHORT = 0.5
#: The portal's own, which other tests have a longer one for.
CONNECT = network.CONNECT


@pytest.fixture(autouse=True)
def _network() -> Iterator[None]:
    transport.stop()
    yield
    transport.stop()


@pytest.fixture
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections have no longer than the portal gives them."""
    monkeypatch.setattr(network, "CONNECT", CONNECT)


def post(url: str, body: bytes = b"text=hi") -> HttpRequest:
    return HttpRequest("POST", url, {"X-Key": "k"}, body)


def call(request: HttpRequest, ticket: int = 1, timeout: float = PATIENCE, starts_within: float = 60) -> Call:
    return Call(ticket, request, timeout, timezone.now() + timedelta(seconds=starts_within))


def all_landed(flight: Flight) -> list[Landing]:
    landings: list[Landing] = []
    while flight.in_air:
        landings += flight.landed(PATIENCE)
    return landings


class TestAnswers:
    def test_it_hands_back_status_headers_in_lower_case_and_body(self) -> None:
        with FaultyServer(server.answers(http(b"taken", "202 Accepted", "X-Request-ID: 7"))) as provider:
            response = fetch(post(provider.url), PATIENCE)
        assert (response.status, response.headers["x-request-id"], response.body) == (202, "7", b"taken")

    def test_it_writes_what_the_provider_built(self) -> None:
        with FaultyServer(server.answers(http())) as provider:
            fetch(post(f"{provider.url}/send%2Fsms?to=%2B7916", b"text=%D0%B0"), PATIENCE)
        head, _, body = provider.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /send%2Fsms?to=%2B7916 HTTP/1.1\r\n")
        assert b"\r\nX-Key: k\r\n" in head
        assert body == b"text=%D0%B0"

    def test_it_waits_for_a_slow_answer(self) -> None:
        with FaultyServer(server.answers_slowly(http(b"late"), SHORT)) as provider:
            assert fetch(post(provider.url), PATIENCE).body == b"late"

    def test_it_follows_no_redirect(self) -> None:
        with FaultyServer(server.answers(http(b"", "302 Found", "Location: /elsewhere"))) as provider:
            assert fetch(post(provider.url), PATIENCE).status == 302
        assert len(provider.requests) == 1

    def test_it_uses_no_proxy_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        with FaultyServer(server.answers(http())) as provider:
            assert fetch(post(provider.url), PATIENCE).status == 200

    def test_it_keeps_no_cookies_of_one_account_for_another(self) -> None:
        with FaultyServer(server.answers(http(b"", "200 OK", "Set-Cookie: session=1"))) as provider:
            fetch(post(provider.url), PATIENCE)
            fetch(post(provider.url), PATIENCE)
        assert b"Cookie" not in provider.requests[1]

    def test_it_uses_one_connection_for_calls_that_follow_each_other(self) -> None:
        with FaultyServer(server.answers(http())) as provider:
            for _ in range(3):
                fetch(post(provider.url), PATIENCE)
        assert (provider.connections, len(provider.requests)) == (1, 3)

    def test_a_body_of_the_largest_size_is_read(self) -> None:
        with FaultyServer(server.answers(http(b"x" * LARGEST_BODY))) as provider:
            assert len(fetch(post(provider.url), PATIENCE).body) == LARGEST_BODY


class TestNothingWasWritten:
    def test_a_refused_connection(self) -> None:
        with pytest.raises(NotSent, match="the connection was not accepted"):
            fetch(post(f"http://127.0.0.1:{free_port()}"), PATIENCE)

    def test_a_host_name_that_is_not_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", _no_such_host)
        with pytest.raises(NotSent, match="the host name was not found"):
            fetch(post("http://provider.invalid"), PATIENCE)

    @pytest.mark.usefixtures("in_earnest")
    def test_a_host_name_that_nobody_answers_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given_up = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", _look_up_after(lambda: given_up.wait(PATIENCE)))
        with pytest.raises(NotSent, match="no connection was made in time"):
            fetch(post("http://localhost:1"), PATIENCE)
        given_up.set()

    @pytest.mark.usefixtures("in_earnest")
    def test_a_connection_that_is_never_established(self, deaf_port: int) -> None:
        with pytest.raises(NotSent, match="no connection was made in time"):
            fetch(post(f"http://127.0.0.1:{deaf_port}"), PATIENCE)

    def test_a_connection_that_takes_longer_than_the_whole_call_may(self, deaf_port: int) -> None:
        with pytest.raises(NotSent, match="time ran out"):
            fetch(post(f"http://127.0.0.1:{deaf_port}"), SHORT)

    def test_tls_with_a_server_that_speaks_none(self) -> None:
        with FaultyServer(server.hangs_up_at_once) as provider, pytest.raises(NotSent):
            fetch(post(f"https://127.0.0.1:{provider.port}/?password=canary"), PATIENCE)
        assert b"canary" not in provider.requests[0]

    @pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/", "http://[::1", ""])
    def test_an_address_that_is_none(self, url: str) -> None:
        with pytest.raises(NotSent):
            fetch(post(url), PATIENCE)

    def test_a_header_that_would_end_the_headers(self) -> None:
        with FaultyServer(server.answers(http())) as provider, pytest.raises(NotSent, match="control character"):
            fetch(HttpRequest("POST", provider.url, {"X-Key": "k\r\nX-Other: 1"}), PATIENCE)
        assert provider.connections == 0

    def test_a_call_that_comes_too_late_opens_no_connection(self) -> None:
        flight = Flight()
        with FaultyServer(server.answers(http())) as provider:
            flight.launch([call(post(provider.url), starts_within=-0.001)])
            (landing,) = all_landed(flight)
        assert isinstance(landing.failure, NotSent)
        assert provider.connections == 0

    def test_a_call_that_is_too_late_once_it_is_connected_writes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        flight = Flight()
        with FaultyServer(server.answers(http())) as provider:
            too_late = timezone.now() + timedelta(hours=2)
            monkeypatch.setattr(
                socket, "getaddrinfo", _look_up_after(lambda: monkeypatch.setattr(clock, "now", lambda: too_late))
            )
            flight.launch([call(post(f"http://localhost:{provider.port}"), starts_within=3600)])
            (landing,) = all_landed(flight)
            assert provider.was_connected.wait(PATIENCE)
        assert isinstance(landing.failure, NotSent)
        assert provider.requests == []

    @pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
    def test_a_call_that_is_too_late_once_its_headers_are_made_writes_nothing(
        self, monkeypatch: pytest.MonkeyPatch, kept: bool
    ) -> None:
        """A process that is frozen there wakes with the write before it: headers wait for their body, time does not."""
        about_to_write = Trail.about_to_write

        def freeze(trail: Trail) -> None:
            about_to_write(trail)
            trail.not_after = timezone.now() - timedelta(seconds=1)

        with FaultyServer(server.answers(http())) as provider:
            if kept:
                fetch(post(provider.url), PATIENCE)
            monkeypatch.setattr(Trail, "about_to_write", freeze)
            with pytest.raises(NotSent, match="it was too late to send"):
                fetch(post(provider.url), PATIENCE)
            assert provider.was_connected.wait(PATIENCE)
            assert (provider.connections, len(provider.requests)) == (1, int(kept))


class TestNobodyCanTell:
    @pytest.mark.parametrize(
        "behaviour",
        [
            pytest.param(server.breaks_off_after(b""), id="closed without an answer"),
            pytest.param(server.resets, id="reset"),
            pytest.param(server.breaks_off_after(http(b"x" * 100)[:-50]), id="body cut short"),
            pytest.param(server.breaks_off_after(b"HTTP/1.1 200 OK\r\nContent-Le"), id="headers cut short"),
            pytest.param(server.breaks_off_after(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), id="not HTTP"),
            pytest.param(
                server.breaks_off_after(http(b"not gzip", "200 OK", "Content-Encoding: gzip")), id="cannot be unpacked"
            ),
            pytest.param(server.answers(http(b"x" * (LARGEST_BODY + 1))), id="body too large"),
            pytest.param(server.sends_without_end, id="body without end"),
        ],
    )
    def test_an_answer_that_is_none(self, behaviour: Behaviour) -> None:
        with FaultyServer(behaviour) as provider, pytest.raises(Ambiguous, match="no usable answer"):
            fetch(post(provider.url), PATIENCE)
        assert len(provider.requests) == 1

    def test_no_answer_in_time(self) -> None:
        silent = server.stays_silent_and(run_out_of_time)
        with FaultyServer(silent) as provider, pytest.raises(Ambiguous, match="time ran out"):
            fetch(post(provider.url), PATIENCE)

    @pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
    def test_a_kept_connection_that_dies_is_not_answered_by_a_second_write(self, method: str) -> None:
        with FaultyServer(server.answers_once_then_hangs_up(http())) as provider:
            fetch(post(provider.url), PATIENCE)
            with pytest.raises(Ambiguous):
                fetch(HttpRequest(method, f"{provider.url}/send"), PATIENCE)
        assert sum(b"/send" in request for request in provider.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [server.resets, server.breaks_off_after(b"garbage\r\n\r\n"), server.stays_silent_and(run_out_of_time)],
)
def test_a_failure_quotes_nothing_of_the_request(behaviour: Behaviour) -> None:
    with FaultyServer(behaviour) as provider, pytest.raises(Ambiguous) as failed:
        fetch(HttpRequest("POST", f"{provider.url}/?canary=1", {"X-Canary": "canary"}, b"canary"), PATIENCE)
    assert "canary" not in repr(failed.value)
    assert "canary" not in str(failed.value)


class TestCertificates:
    def test_a_server_that_nobody_vouches_for_is_told_nothing(self, tls: ssl.SSLContext) -> None:
        with FaultyServer(over_tls(tls, server.answers(http()))) as provider:
            with pytest.raises(NotSent, match="certificate is not trusted"):
                fetch(post(f"https://127.0.0.1:{provider.port}/"), PATIENCE)
            assert provider.requests == []

    def test_it_is_believed_where_the_gateway_says_so(self, tls: ssl.SSLContext) -> None:
        with FaultyServer(over_tls(tls, server.answers(http()))) as provider:
            assert fetch(_unverified(provider), PATIENCE).body == b"ok"
            transport.stop()

    def test_a_call_that_checks_gets_no_connection_of_one_that_does_not(self, tls: ssl.SSLContext) -> None:
        with FaultyServer(over_tls(tls, server.answers(http()))) as provider:
            for _ in range(2):
                fetch(_unverified(provider), PATIENCE)
            assert provider.connections == 1
            with pytest.raises(NotSent, match="certificate is not trusted"):
                fetch(post(f"https://127.0.0.1:{provider.port}/"), PATIENCE)
            assert (provider.connections, len(provider.requests)) == (2, 2)
            transport.stop()


class TestFlight:
    def test_every_call_lands_with_its_own_ticket(self) -> None:
        flight = Flight()
        with FaultyServer(server.answers(http())) as provider:
            requests = [post(provider.url), post(f"http://127.0.0.1:{free_port()}"), post("nonsense")]
            flight.launch([call(request, ticket) for ticket, request in enumerate(requests)])
            landings = {landing.ticket: landing for landing in all_landed(flight)}
        assert landings[0].response is not None
        assert landings[0].failure is None
        assert isinstance(landings[1].failure, NotSent)
        assert isinstance(landings[2].failure, NotSent)

    def test_it_counts_what_is_in_the_air(self) -> None:
        flight = Flight()
        with FaultyServer(server.stays_silent) as provider:
            flight.launch([call(post(provider.url), ticket, SHORT) for ticket in range(3)])
            assert flight.in_air == 3
            assert len(all_landed(flight)) == 3
        assert flight.in_air == 0

    def test_waiting_ends_where_nothing_lands(self) -> None:
        flight = Flight()
        with FaultyServer(server.stays_silent) as provider:
            flight.launch([call(post(provider.url))])
            assert flight.landed(0) == []
            assert flight.landed(0.01) == []
            assert flight.in_air == 1

    def test_an_empty_sky_is_not_waited_for(self) -> None:
        flight = Flight()
        flight.launch([])
        assert flight.landed(1_000_000) == []

    def test_a_nudge_ends_the_wait_and_loses_no_landing(self) -> None:
        flight = Flight()
        with FaultyServer(server.stays_silent) as silent, FaultyServer(server.answers(http())) as provider:
            flight.launch([call(post(silent.url), 1)])
            flight.nudge()
            assert flight.landed(1_000_000) == []
            flight.launch([call(post(provider.url), 2)])
            assert [landing.ticket for landing in flight.landed(PATIENCE)] == [2]
            assert flight.in_air == 1

    def test_what_landed_before_and_after_a_nudge_comes_together(self) -> None:
        flight = Flight()
        with FaultyServer(server.answers(http())) as provider:
            flight.launch([call(post(provider.url), ticket) for ticket in range(3)])
            flight.nudge()
            landings = all_landed(flight)
            assert sorted(landing.ticket for landing in landings) == [0, 1, 2]
        assert flight.landed(0) == []

    def test_of_many_that_landed_some_are_handed_over_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transport, "TOGETHER", 2)
        flight = Flight()
        with FaultyServer(server.answers(http())) as provider:
            flight.launch([call(post(provider.url), ticket) for ticket in range(5)])
            wait_for(lambda: flight._arrivals.qsize() == 5, "all have landed")
            sizes = []
            while flight.in_air:
                sizes.append(len(flight.landed(PATIENCE)))
        assert sizes == [2, 2, 1]

    def test_a_nudge_ends_a_rest_even_if_it_came_before(self) -> None:
        flight = Flight()
        flight.nudge()
        flight.rest(1_000_000)
        flight.rest(0.01)

    def test_a_slow_call_does_not_hold_up_the_others(self) -> None:
        flight = Flight()
        with FaultyServer(server.stays_silent) as silent, FaultyServer(server.answers(http())) as provider:
            flight.launch([call(post(silent.url), 1), call(post(provider.url), 2)])
            assert [landing.ticket for landing in flight.landed(PATIENCE)] == [2]

    def test_what_is_in_the_air_lands_when_the_worker_stops(self) -> None:
        flight = Flight()
        with FaultyServer(server.stays_silent) as provider:
            flight.launch([call(post(provider.url))])
            assert provider.was_asked.wait(PATIENCE)
            transport.stop()
            (landing,) = flight.landed(PATIENCE)
        assert isinstance(landing.failure, Ambiguous)

    def test_it_starts_again_after_it_was_stopped(self) -> None:
        transport.start()
        transport.start()
        transport.stop()
        transport.stop()
        with FaultyServer(server.answers(http())) as provider:
            assert fetch(post(provider.url), PATIENCE).status == 200

    def test_a_forked_process_has_a_network_of_its_own(self) -> None:
        with FaultyServer(server.answers(http())) as provider:
            fetch(post(provider.url), PATIENCE)
            assert _in_a_fork(lambda: fetch(post(provider.url), PATIENCE).status == 200)
            # The parent's connection still works.
            assert fetch(post(provider.url), PATIENCE).status == 200
        assert provider.connections == 2


class TestSandboxCalls:
    def test_one_launch_is_one_list_for_the_sandbox(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lists: list[list[str]] = []

        def answer_all(requests: list[HttpRequest]) -> list[sandbox.Reply]:
            lists.append([request.url for request in requests])
            return [sandbox.Reply(HttpResponse(200, {}, request.url.encode())) for request in requests]

        landings = self.launch(monkeypatch, answer_all, ["sandbox:a/submit", "sandbox:b/submit"])
        assert lists == [["sandbox:a/submit", "sandbox:b/submit"]]
        assert [landing.response and landing.response.body for landing in landings] == [
            b"sandbox:a/submit",
            b"sandbox:b/submit",
        ]

    def test_no_reply_says_whether_the_request_arrived(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def answer_all(_requests: list[HttpRequest]) -> list[sandbox.Reply]:
            return [sandbox.Reply(None, written=False), sandbox.Reply(None, written=True)]

        refused, lost = self.launch(monkeypatch, answer_all, ["sandbox:a/submit", "sandbox:a/submit"])
        assert isinstance(refused.failure, NotSent)
        assert refused.failure.reason == "nothing was sent: the connection was not accepted"
        assert isinstance(lost.failure, Ambiguous)

    def test_a_delay_longer_than_the_call_may_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def answer_all(_requests: list[HttpRequest]) -> list[sandbox.Reply]:
            return [sandbox.Reply(HttpResponse(200), delay=1000)]

        (landing,) = self.launch(monkeypatch, answer_all, ["sandbox:a/submit"], timeout=SHORT)
        assert isinstance(landing.failure, Ambiguous)

    def test_a_sandbox_that_cannot_write_leaves_everything_unclear(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def answer_all(_requests: list[HttpRequest]) -> list[sandbox.Reply]:
            raise RuntimeError("canary")

        landings = self.launch(monkeypatch, answer_all, ["sandbox:a/submit", "sandbox:b/submit"])
        assert [type(landing.failure) for landing in landings] == [Ambiguous, Ambiguous]
        assert "canary" not in str(landings[0].failure)

    def test_a_late_call_is_not_handed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []

        def answer_all(requests: list[HttpRequest]) -> list[sandbox.Reply]:
            asked.extend(requests)
            return [sandbox.Reply(HttpResponse(200)) for _ in requests]

        (landing,) = self.launch(monkeypatch, answer_all, ["sandbox:a/submit"], starts_within=-0.001)
        assert isinstance(landing.failure, NotSent)
        assert asked == []

    @staticmethod
    def launch(
        monkeypatch: pytest.MonkeyPatch,
        answer_all: Callable[[list[HttpRequest]], list[sandbox.Reply]],
        urls: list[str],
        timeout: float = PATIENCE,
        starts_within: float = 60,
    ) -> list[Landing]:
        monkeypatch.setattr(sandbox, "answer_all", answer_all)
        flight = Flight()
        flight.launch([call(post(url), ticket, timeout, starts_within) for ticket, url in enumerate(urls)])
        return sorted(all_landed(flight), key=lambda landing: landing.ticket)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    yield from server.deaf_port()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that it signed itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(timezone.now() - timedelta(days=1))
        .not_valid_after(timezone.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    unencrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(unencrypted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def over_tls(context: ssl.SSLContext, behaviour: Behaviour) -> Behaviour:
    """The behaviour on a secured connection."""

    def serve(faulty: FaultyServer, connection: socket.socket) -> None:
        # The server cannot end this connection from outside: it has become another object.
        connection.settimeout(PATIENCE)
        with context.wrap_socket(connection, server_side=True) as secured:
            behaviour(faulty, secured)

    return serve


def _unverified(provider: FaultyServer) -> HttpRequest:
    return replace(post(f"https://127.0.0.1:{provider.port}/"), verify_tls=False)


def _no_such_host(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _look_up_after(what: Callable[[], object]) -> Callable[..., Any]:
    look_up = socket.getaddrinfo

    def late(*arguments: Any, **named: Any) -> Any:
        what()
        return look_up(*arguments, **named)

    return late


def _in_a_fork(work: Callable[[], bool]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        worked = False
        try:
            worked = work()
        finally:
            os._exit(0 if worked else 1)
    _pid, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0
