"""A code goes from one gateway to the next without waiting for a retry or for the sweep: all the way, over sockets."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import AddrInfoType

from gateways import accounts, network, transport
from gateways.addresses import open_socket
from gateways.models import Gateway
from gateways.outcomes import Outcome
from messaging import codes, delivery, whereabouts
from messaging.models import Door, Message, MessageTemplate, State
from messaging.retries import Kind
from messaging.whereabouts import Where
from tests.messaging.conftest import fresh
from tests.servers import free_port
from tests.simulators.faulty_server import FaultyServer, answers, deaf_port, http, stays_silent_and
from tests.simulators.loop_clock import run_out_of_time
from tests.simulators.server import Simulator

PHONE, CODE = "+79161234567", "483920"
#: Seconds in which every connection is made that can be made.
CONNECT = 30.0
Bells = list[tuple[str, tuple[Any, ...]]]


@pytest.fixture
def provider(transactional_db: None) -> Iterator[Simulator]:
    MessageTemplate.objects.update_or_create(kind=Kind.CODE, language="en", defaults={"text": "$portal: $code"})
    with Simulator("http") as simulator:
        yield simulator
        transport.stop()


@pytest.fixture(params=["nobody listens", "nobody lets in", "busy"])
def down(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a provider that takes nothing, and says so or not even that."""
    if request.param == "nobody listens":
        yield f"http://127.0.0.1:{free_port()}/send"
        return
    if request.param == "nobody lets in":
        for port in deaf_port():
            transport.stop()
            monkeypatch.setattr(network, "CONNECT", CONNECT)
            monkeypatch.setattr(network, "open_socket", giving_up_at(port))
            yield f"http://127.0.0.1:{port}/send"
        return
    with FaultyServer(answers(http(b"{}", "503 Service Unavailable"))) as server:
        yield f"{server.url}/send"


def giving_up_at(port: int) -> Callable[[AddrInfoType], socket.socket]:
    """Whoever begins to connect to it has waited in vain at once; others are given as long as they need."""

    def open_and_give_up(target: AddrInfoType) -> socket.socket:
        if target[4][1] == port:
            run_out_of_time(CONNECT)
        return open_socket(target)

    return open_and_give_up


@pytest.fixture
def gateway_at(provider: Simulator) -> Callable[..., Gateway]:
    def make(name: str, url: str = "", **details: Any) -> Gateway:
        settings = provider.peers["http"].settings()
        if url:
            settings |= {"url": url, "repeat_is_safe": False}
        return accounts.create(
            name=name, provider="http", sender="Portal", settings=settings, timeout=2 * CONNECT, **details
        )

    return make


def send() -> Message:
    return codes.send(phone=PHONE, code=CODE, language="en", door=Door.GUESTS).message


def hear(bells: Bells) -> None:
    """A worker that does what bells ask for, and nothing that no bell rang for."""
    while bells:
        name, arguments = bells.pop(0)
        if name == "messaging.tasks.drain":
            delivery.drain(*arguments)


def journey(message: Message) -> list[tuple[str, str]]:
    return list(message.attempts.values_list("gateway__name", "outcome"))


def test_it_arrives_through_the_second_without_a_retry_s_wait(
    gateway_at: Callable[..., Gateway], provider: Simulator, down: str, bells: Bells
) -> None:
    gateway_at("first", down, is_default=True)
    gateway_at("second")
    message = send()
    hear(bells)
    assert [name for name, _outcome in journey(message)] == ["first", "second"]
    assert [CODE in taken.text for taken in provider.taken] == [True]
    assert whereabouts.of(fresh(message)).kind == Where.SENT


def test_each_other_one_is_asked_before_any_is_asked_again(
    gateway_at: Callable[..., Gateway], provider: Simulator, down: str, bells: Bells
) -> None:
    gateway_at("first", down, is_default=True)
    gateway_at("second", down, priority=1)
    gateway_at("third", priority=2)
    message = send()
    hear(bells)
    assert [name for name, _outcome in journey(message)] == ["first", "second", "third"]
    assert len(provider.taken) == 1


def test_where_none_takes_it_that_is_known_as_soon_as_each_was_asked(
    gateway_at: Callable[..., Gateway], provider: Simulator, down: str, bells: Bells
) -> None:
    gateway_at("first", down, is_default=True)
    gateway_at("second", down)
    message = send()
    hear(bells)
    assert [name for name, _outcome in journey(message)] == ["first", "second"]
    assert whereabouts.of(fresh(message)).kind == Where.NO_WAY
    assert whereabouts.give_up(message)
    assert provider.taken == []


def test_a_gateway_that_does_not_answer_keeps_it_and_the_guest_reads_that_nobody_knows(
    gateway_at: Callable[..., Gateway], provider: Simulator, bells: Bells
) -> None:
    with FaultyServer(stays_silent_and(run_out_of_time)) as server:
        gateway_at("first", server.url, is_default=True)
        gateway_at("second")
        message = send()
        hear(bells)
    assert journey(message) == [("first", Outcome.AMBIGUOUS)]
    assert fresh(message).state == State.UNKNOWN
    assert whereabouts.of(fresh(message)).kind == Where.UNCONFIRMED
    assert not whereabouts.give_up(message)
    assert provider.taken == []
