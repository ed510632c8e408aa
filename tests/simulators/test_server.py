"""The simulators' server, with a provider of one handler: its faults are real ones, and it ends without a trace."""

import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from aiohttp import web

from tests.simulators import peers, server
from tests.simulators.server import Fault, Peer, Simulator
from tests.waiting import A_LONG_TIME, wait_for


class Pigeon(Peer):
    """Takes whatever it is given."""

    name = "pigeon"
    submit_paths = ("/send/{loft}",)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/send/{loft}", self.send), web.get("/state", self.state), web.get("/trips", self.trips)]

    def settings(self) -> dict[str, Any]:
        return {"url": self.simulator.url_of(self.name), "password": "corn"}

    def wrong_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": "bread"}

    async def send(self, request: web.Request) -> web.Response:
        form = await request.post()
        taken = self.simulator.take(
            self.name, str(form["to"]), str(form["text"]), key=str(form.get("key", "")), dedupes=True
        )
        return web.json_response({"id": taken.reference})

    async def state(self, request: web.Request) -> web.Response:
        self.count_login()
        return web.Response(text="cooing")

    async def trips(self, request: web.Request) -> web.Response:
        raise ZeroDivisionError("over its own feet")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Pigeon) as running:
        yield running


def send(simulator: Simulator, key: str = "", timeout: float = 30) -> requests.Response:
    form = {"to": "4915112345678", "text": "Grüße, мир 🕊 & <b>", "key": key}
    return requests.post(f"{simulator.url_of('pigeon')}/send/7", data=form, timeout=timeout)


def accepted_and_not_answered(simulator: Simulator) -> None:
    """Sends one message and hangs up."""
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=30)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/pigeon/send/7", "to=49151&text=hi", headers)
    wait_for(lambda: simulator.taken, "it is accepted")
    connection.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_it_remembers_what_was_accepted_and_every_request(simulator: Simulator) -> None:
    answer = send(simulator)

    [sms] = simulator.taken
    assert (sms.phone, sms.text) == ("+4915112345678", "Grüße, мир 🕊 & <b>")
    assert simulator.taken_by("+4915112345678") == [sms]
    assert simulator.get("pigeon", answer.json()["id"]) == sms
    [asked] = simulator.asked_for("pigeon", "/send/7/")
    assert (asked.method, asked.path) == ("POST", "/pigeon/send/7")
    assert b"%F0%9F%95%8A" in asked.body
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_provider_that_knows_keys_accepts_a_key_once(simulator: Simulator) -> None:
    references = {send(simulator, "portal-1").json()["id"] for _ in range(3)}

    [sms] = simulator.taken
    assert references == {sms.reference}
    assert sms.handed_over == 3


def test_messages_without_a_key_are_all_accepted(simulator: Simulator) -> None:
    assert {send(simulator).json()["id"] for _ in range(3)} == {sms.reference for sms in simulator.taken}
    assert len(simulator.taken) == 3


@pytest.mark.parametrize("path", ["state", "state/"])
def test_a_slash_at_the_end_of_a_path_makes_no_difference(simulator: Simulator, path: str) -> None:
    answer = requests.get(f"{simulator.url_of('pigeon')}/{path}?a=1", timeout=30, allow_redirects=False)

    assert (answer.status_code, answer.text) == (200, "cooing")
    assert simulator.asked_for("pigeon", "/state")[0].query == {"a": "1"}
    assert simulator.logins == {"pigeon": 1}


def test_an_unknown_path_is_not_found_and_remembered(simulator: Simulator) -> None:
    assert requests.get(f"{simulator.url_of('pigeon')}/fly", timeout=30).status_code == 404
    assert requests.get(f"{simulator.url_of('owl')}/state", timeout=30).status_code == 404
    assert [one.path for one in simulator.asked] == ["/pigeon/fly", "/owl/state"]


def test_a_body_beyond_the_limit_is_not_read(simulator: Simulator) -> None:
    answer = requests.post(f"{simulator.url_of('pigeon')}/send/7", data=b"x" * (1024 * 1024 + 1), timeout=30)

    assert answer.status_code == 413
    assert simulator.taken == []


def test_one_request_too_many_is_not_accepted(simulator: Simulator) -> None:
    simulator.faults.add(Fault.TOO_MANY)

    answer = send(simulator)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert simulator.taken == []


def test_a_slow_provider_answers_and_not_at_once(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator.faults.add(Fault.SLOW)

    with monkeypatch.context() as patched:
        patched.setattr(server, "SLOW_SECONDS", A_LONG_TIME)
        accepted_and_not_answered(simulator)
    assert send(simulator).status_code == 200
    assert len(simulator.taken) == 2


def test_a_provider_that_fails_after_it_accepted_answers_500(simulator: Simulator) -> None:
    simulator.faults.add(Fault.SERVER_ERROR)

    assert send(simulator).status_code == 500
    assert len(simulator.taken) == 1


def test_a_malformed_answer_is_no_json_and_no_text(simulator: Simulator) -> None:
    simulator.faults.add(Fault.MALFORMED)

    answer = send(simulator)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    assert len(simulator.taken) == 1


def test_a_timeout_comes_after_the_message_was_accepted(simulator: Simulator) -> None:
    simulator.faults.add(Fault.TIMEOUT_AFTER_ACCEPT)

    accepted_and_not_answered(simulator)
    assert len(simulator.taken) == 1


def test_a_reset_is_one_of_tcp_and_comes_after_the_message_was_accepted(simulator: Simulator) -> None:
    simulator.faults.add(Fault.RESET_AFTER_ACCEPT)
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=30)
    headers = {"content-type": "application/x-www-form-urlencoded"}

    connection.request("POST", "/pigeon/send/7", "to=49151&text=hi", headers)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
    assert len(simulator.taken) == 1


def test_faults_of_sending_leave_other_requests_alone(simulator: Simulator) -> None:
    simulator.faults |= {Fault.TOO_MANY, Fault.SERVER_ERROR, Fault.MALFORMED, Fault.RESET_AFTER_ACCEPT}

    assert requests.get(f"{simulator.url_of('pigeon')}/state", timeout=30).text == "cooing"


def test_a_fault_of_once_is_switched_off_by_asking(simulator: Simulator) -> None:
    simulator.faults.add(Fault.EXPIRED_TOKEN)

    assert [simulator.once(Fault.EXPIRED_TOKEN) for _ in range(2)] == [True, False]


def test_it_ends_while_requests_hang() -> None:
    waiting: list[Exception] = []

    def wait(simulator: Simulator) -> None:
        try:
            send(simulator)
        except requests.ConnectionError as error:
            waiting.append(error)

    with Simulator(Pigeon) as simulator:
        simulator.faults.add(Fault.TIMEOUT_AFTER_ACCEPT)
        threads = [threading.Thread(target=wait, args=(simulator,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(simulator.taken) < 3:
            assert any(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()

    assert len(waiting) == 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(simulator.url.rpartition(":")[2])))


def test_a_peer_that_fails_itself_fails_the_test() -> None:
    with pytest.raises(ZeroDivisionError), Simulator(Pigeon) as simulator:
        assert requests.get(f"{simulator.url_of('pigeon')}/trips", timeout=30).status_code == 500


@pytest.mark.parametrize("name", peers.names())
def test_every_peer_is_named_as_its_file_and_has_a_wrong_secret(name: str) -> None:
    with Simulator(name) as simulator:
        peer = simulator.peers[name]

        assert peer.name == name
        assert peer.settings()["url"].startswith(simulator.url_of(name))
        assert peer.wrong_settings().keys() == peer.settings().keys()
        assert peer.wrong_settings() != peer.settings()
        assert all(peer.outcome_of(fault) for fault in peer.applies)
