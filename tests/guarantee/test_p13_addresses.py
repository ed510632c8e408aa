"""P13: a host is on the internet or in a listed network, else nothing is opened.

What P13 says of addresses holds for those of providers, which administrators write, and for webhooks, which are called
through the same network: resolved once, each looked at, private ones refused, redirects not followed. At least once,
the stable id, the signature with its time and the dead endpoint are in `test_p13_webhooks.py`.
"""

import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django import Settings

from gateways import addresses, transport
from gateways.http import HttpRequest
from gateways.outcomes import NotSent
from gateways.transport import fetch
from tests.simulators import faulty_server as server
from tests.simulators.faulty_server import FaultyServer, http
from tests.waiting import PATIENCE

REASON = "the address is in a private network; add it to GATEWAY_ALLOWED_NETWORKS if it is yours"
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::1",
]
WRAPPED = [
    pytest.param("::ffff:10.0.0.1", id="IPv4-mapped"),
    pytest.param("::ffff:127.0.0.1", id="loopback, IPv4-mapped"),
    pytest.param("::ffff:169.254.169.254", id="link-local, IPv4-mapped"),
    pytest.param("64:ff9b::10.0.0.1", id="NAT64"),
    pytest.param("64:ff9b::7f00:1", id="loopback, NAT64"),
    pytest.param("2002:a00:1::1", id="6to4"),
    pytest.param("2002:7f00:1::", id="loopback, 6to4"),
    pytest.param("2001:0:808:808:0:0:f5ff:fffe", id="Teredo"),
]
PUBLIC = [
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.fixture(autouse=True)
def _network() -> Iterator[None]:
    yield
    transport.stop()


@pytest.fixture
def nothing_listed(settings: Settings) -> None:
    settings.GATEWAY_ALLOWED_NETWORKS = []


@pytest.fixture
def provider() -> Iterator[FaultyServer]:
    with FaultyServer(server.answers(http())) as running:
        yield running


@pytest.mark.usefixtures("nothing_listed")
class TestCheck:
    @pytest.mark.parametrize("address", [*PRIVATE, *WRAPPED])
    def test_an_address_that_is_not_of_the_internet_is_refused(self, address: str) -> None:
        with pytest.raises(addresses.PrivateNetwork, match=REASON):
            addresses.check(address)

    @pytest.mark.parametrize("address", PUBLIC)
    def test_an_address_of_the_internet_is_taken(self, address: str) -> None:
        addresses.check(address)


class TestListedNetworks:
    @pytest.mark.parametrize(
        ("network", "address"),
        [
            ("10.0.0.0/8", "10.1.2.3"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("10.0.0.0/8", "64:ff9b::10.1.2.3"),
            ("fd12::/16", "fd12::1"),
            ("fe80::/10", "fe80::1%1"),
        ],
    )
    def test_an_address_in_one_is_taken(self, network: str, address: str, settings: Settings) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = [ip_network("192.168.0.0/16"), ip_network(network)]
        addresses.check(address)

    @pytest.mark.parametrize("address", ["10.1.2.4", "127.0.0.1", "fd13::1", "::ffff:10.1.2.4", "2002:a01:204::"])
    def test_an_address_beside_them_is_refused(self, address: str, settings: Settings) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = [
            ip_network("10.1.2.3/32"),
            ip_network("fd12::/16"),
            ip_network("2002::/16"),
        ]
        with pytest.raises(addresses.PrivateNetwork):
            addresses.check(address)


@pytest.mark.usefixtures("nothing_listed")
class TestConnections:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::1]",
            "[::]",
            "①②⑦.0.0.1",
            "127。0。0。1",
        ],
    )
    def test_no_spelling_of_this_machine_is_connected_to(self, host: str, provider: FaultyServer) -> None:
        with pytest.raises(NotSent):
            fetch(HttpRequest("POST", f"http://{host}:{provider.port}/"), PATIENCE)
        assert provider.connections == 0

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "[::1]", "10.1.2.3", "[fd12::1]"])
    def test_the_reason_names_the_remedy_and_no_address(self, host: str) -> None:
        with pytest.raises(NotSent) as refused:
            fetch(HttpRequest("POST", f"http://{host}:9/?canary=1"), PATIENCE)
        assert refused.value.reason == REASON

    def test_a_login_in_front_of_the_host_changes_nothing(self, provider: FaultyServer) -> None:
        with pytest.raises(NotSent, match=REASON):
            fetch(HttpRequest("POST", f"http://sms.example.org@127.0.0.1:{provider.port}/"), PATIENCE)
        assert provider.connections == 0

    def test_a_redirect_to_a_private_address_is_not_followed(self, settings: Settings, provider: FaultyServer) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = [ip_network("127.0.0.1/32")]
        away = http(b"", "307 Temporary Redirect", f"Location: http://127.0.0.2:{provider.port}/")
        with FaultyServer(server.answers(away)) as redirecting:
            assert fetch(HttpRequest("POST", redirecting.url), PATIENCE).status == 307
        assert provider.connections == 0


class TestNames:
    """Names resolve to what a test says; 127.0.0.0/8 is listed, as in every test."""

    def test_a_name_of_a_listed_network_is_connected_to(self, look_ups: "LookUps", provider: FaultyServer) -> None:
        look_ups.answers = [["127.0.0.1"]]
        assert fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE).status == 200

    @pytest.mark.parametrize(
        "found",
        [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "::1"], ["127.0.0.1", "169.254.169.254"]],
    )
    def test_one_private_address_among_several_refuses_the_name(
        self, found: list[str], look_ups: "LookUps", provider: FaultyServer
    ) -> None:
        look_ups.answers = [found]
        with pytest.raises(NotSent, match=REASON):
            fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE)
        assert provider.connections == 0

    def test_what_was_looked_at_is_what_is_connected_to(self, look_ups: "LookUps", provider: FaultyServer) -> None:
        look_ups.answers = [["127.0.0.1"], ["10.0.0.1"]]
        assert fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE).status == 200
        assert (look_ups.asked, provider.connections) == (1, 1)

    def test_a_name_that_moves_into_a_private_network_is_refused_when_it_is_looked_up_again(
        self, look_ups: "LookUps", provider: FaultyServer
    ) -> None:
        look_ups.answers = [["127.0.0.1"], ["10.0.0.1"]]
        fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE)
        transport.stop()
        with pytest.raises(NotSent, match=REASON):
            fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE)
        assert (look_ups.asked, provider.connections) == (2, 1)

    def test_a_kept_connection_needs_no_look_up(self, look_ups: "LookUps", provider: FaultyServer) -> None:
        look_ups.answers = [["127.0.0.1"]]
        for _ in range(3):
            fetch(HttpRequest("POST", f"http://sms.example.org:{provider.port}/"), PATIENCE)
        assert (look_ups.asked, provider.connections) == (1, 1)


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "ws", "wss", "tcp", "unix", ""])
def test_a_scheme_other_than_http_opens_nothing(scheme: str, provider: FaultyServer) -> None:
    with pytest.raises(NotSent, match="neither http nor https"):
        fetch(HttpRequest("POST", f"{scheme}://127.0.0.1:{provider.port}/"), PATIENCE)
    assert provider.connections == 0


class LookUps:
    """Stands in for the resolver: the n-th look-up of the example's name gives the n-th list of addresses."""

    def __init__(self, resolve: Callable[..., Any]) -> None:
        self.resolve = resolve
        self.answers: list[list[str]] = []
        self.asked = 0

    def __call__(self, host: str, port: int, *arguments: Any, **named: Any) -> list[Any]:
        if host != "sms.example.org":
            return list(self.resolve(host, port, *arguments, **named))
        found = self.answers[self.asked]
        self.asked += 1
        return [_as_resolved(address, port) for address in found]


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> LookUps:
    look_ups = LookUps(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", look_ups)
    return look_ups


def _as_resolved(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
