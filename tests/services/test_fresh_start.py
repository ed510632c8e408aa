"""From a fresh clone to a delivered message, and back to silence."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from django.conf import settings

from tests.services.stack import Portal, own_servers
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

#: How often the web said that it is well, as Prometheus reads it.
WELL = re.compile(r'^django_http_requests_total_by_view\w*_total\{[^}]*view="healthz"[^}]*\} (\S+)$', re.MULTILINE)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal of which there is nothing yet, not even tables."""
    folder = tmp_path_factory.mktemp("portal")
    with own_servers(worker_id, bare=True) as servers, Portal(folder, servers, bare=True) as portal:
        yield portal


def make_guest(portal: Portal, pid: str) -> None:
    portal.call("POST", "users", {"pid": pid, "telephone": "8 916 123-45-67"})


def send_credentials(portal: Portal, pid: str) -> int:
    body = {"sms_gateway": "sandbox", "pid": pid, "password": "one-two-three"}
    number: int = portal.call("POST", "sms_gateways/send_user_credentials", body)["item"]["id"]
    return number


def all_delivered(portal: Portal, *numbers: int) -> bool:
    return {portal.message(number)["state"] for number in numbers} == {"delivered"}


def test_a_guests_credentials_arrive_on_the_sandbox_phone(portal: Portal) -> None:
    make_guest(portal, "guest-1")
    number = send_credentials(portal, "guest-1")
    wait_for(lambda: all_delivered(portal, number), "the message is delivered")
    [(phone, text)] = portal.look("[[sms.phone, sms.text] for sms in SandboxSms.objects.all()]")
    assert phone == "+79161234567"
    assert "guest-1" in text
    assert "one-two-three" in text


def test_a_second_start_keeps_yesterdays_data(portal: Portal) -> None:
    make_guest(portal, "guest-2")
    number = send_credentials(portal, "guest-2")
    wait_for(lambda: all_delivered(portal, number), "the message is delivered")
    portal.stop()
    portal.start()
    portal.login()
    assert portal.call("GET", "user/guest-2")["item"]["pid"] == "guest-2"
    assert all_delivered(portal, number)
    assert portal.look("Gateway.objects.count()") == 1
    assert portal.output().count("Sign in as admin") == 1


def test_sigterm_leaves_no_process_behind(portal: Portal) -> None:
    # One of them is enough for the web to be ready.
    wait_for(lambda: len(portal.processes("gunicorn")) == 1 + settings.WEB_PROCESSES, "all processes of the web run")
    assert portal.processes("celery", "worker")
    assert portal.processes("celery", "beat")
    assert portal.stop() == 0
    assert portal.processes() == []


def test_metrics_tell_of_all_processes_whichever_answers(portal: Portal) -> None:
    def answered() -> int:
        told = WELL.search(requests.get(f"{portal.address}/metrics", timeout=60).text)
        return int(float(told[1])) if told else 0

    def ask(_number: int) -> None:
        assert requests.get(f"{portal.address}/healthz", timeout=60).ok

    assert settings.WEB_PROCESSES > 1
    before = answered()
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(ask, range(40)))
        assert {told - before for told in callers.map(lambda _number: answered(), range(16))} == {40}


def test_a_stop_loses_no_message_that_was_accepted(portal: Portal) -> None:
    make_guest(portal, "guest-3")
    before = portal.look("SandboxSms.objects.count()")
    numbers = [send_credentials(portal, "guest-3") for _ in range(10)]
    portal.stop()
    portal.start()
    portal.login()
    wait_for(lambda: all_delivered(portal, *numbers), "every message is delivered")
    assert portal.look("SandboxSms.objects.count()") == before + len(numbers)


def test_the_state_folder_is_for_its_owner_only(portal: Portal) -> None:
    modes = {}
    for path in [portal.folder, *portal.folder.rglob("*")]:
        # A bell is gone once somebody has heard it.
        with suppress(FileNotFoundError):
            modes[path] = path.stat().st_mode & 0o777
    assert len(modes) > 3
    assert {str(path): oct(mode) for path, mode in modes.items() if mode not in {0o700, 0o600}} == {}


def test_the_second_portal_at_a_port_says_how_to_choose_another(portal: Portal) -> None:
    done = portal.first_run()
    assert done.returncode == 1
    assert b"PORT=" in done.stderr
    assert b"make run" in done.stderr


def test_the_web_is_well_and_the_first_page_is_the_guests(portal: Portal) -> None:
    assert requests.get(f"{portal.address}/healthz", timeout=60).text == "ok"
    assert requests.get(portal.address, timeout=60).url == f"{portal.address}/guest/"
    assert requests.get(f"{portal.address}/admin/", timeout=60).url.endswith("/admin/login/?next=/admin/")
