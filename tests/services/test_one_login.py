"""Two worker processes and one wrong password: the provider sees it once; corrected, all that waited arrives."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from portal.processes import PROCFILE
from tests.engine import REPOSITORY
from tests.services.stack import Portal, own_servers
from tests.simulators.server import Simulator
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

#: One provider at which one logs in, and one that is shown the password with every request.
PROVIDERS = ("axelnac", "smsc_ru")
PHONES = [f"+7916{number:07}" for number in range(20)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal that may call this machine, where the simulated providers are."""
    with own_servers(worker_id) as servers:
        allowed = {"GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}
        with Portal(tmp_path_factory.mktemp("portal"), servers | allowed) as portal:
            yield portal


@pytest.fixture
def workers(portal: Portal, tmp_path: Path) -> Iterator[list[int]]:
    """The process ids of its worker and of a second one, both at work."""
    with another_worker(portal, tmp_path / "second.log"):
        found = portal.processes("celery", "worker")
        assert len(found) == 2
        yield found


@contextmanager
def another_worker(portal: Portal, log: Path) -> Iterator[None]:
    """As the Procfile starts the first, under another name."""
    command = parse_procfile(PROCFILE.read_text()).processes["worker"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            f"{command} --hostname second@%h", shell=True,
            stdout=output, stderr=output, cwd=REPOSITORY, env=portal.environment | {"PATH": path},
        )  # fmt: skip
    try:
        wait_for(lambda: "second@" in log.read_text(errors="replace"), "the second worker is ready")
        yield
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(*PROVIDERS) as running:
        yield running


def gateway(portal: Portal, name: str) -> dict[str, object]:
    item: dict[str, object] = portal.call("GET", f"sms_gateway/{name}")["item"]
    return item


def let_workers_work(portal: Portal) -> None:
    """Time in which they certainly swept: a message was sent, and its receipt asked for."""
    body = {"sms_gateway": "sandbox", "phone_number": "+79990000001", "message": "Привет"}
    number = portal.call("POST", "sms_gateways/send_sms", body)["item"]["id"]
    wait_for(lambda: portal.message(number)["state"] == "delivered", "the sandbox delivers")


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_sees_a_wrong_password_once_and_the_right_one_sends_all_that_waited(
    portal: Portal, workers: list[int], simulator: Simulator, name: str
) -> None:
    peer = simulator.peers[name]
    portal.call("POST", "sms_gateways", {"id": name, "provider": name, "settings": peer.wrong_settings()})
    portal.freeze(workers)
    numbers = [
        portal.call(
            "POST", "sms_gateways/send_sms", {"sms_gateway": name, "phone_number": phone, "message": "Привет, гость"}
        )["item"]["id"]
        for phone in PHONES
    ]
    portal.thaw(workers)

    wait_for(lambda: gateway(portal, name)["state"] == "credentials_refused", "the gateway says why")
    let_workers_work(portal)
    assert len(simulator.asked_for(name)) == 1
    assert simulator.logins == {name: 1}
    assert simulator.taken == []
    assert gateway(portal, name)["last_error"]
    assert gateway(portal, name)["last_remedy"]

    portal.call("PATCH", f"sms_gateway/{name}", {"settings": {"password": peer.settings()["password"]}})
    wait_for(
        lambda: all(portal.message(number)["submitted_at"] for number in numbers), "everything that waited is sent"
    )
    let_workers_work(portal)
    assert Counter(sms.phone for sms in simulator.taken) == Counter(PHONES)
    if name == "axelnac":
        assert simulator.logins == {name: 2}
    assert gateway(portal, name)["state"] == "ok"
    assert {portal.message(number)["sms_gateway"] for number in numbers} == {name}
