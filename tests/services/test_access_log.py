"""No access log keeps a query: it may hold a key, a password, a phone and a text."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.engine import REPOSITORY
from tests.services.stack import Portal
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

#: What programs put into addresses, and what browsers say of where they come from.
CANARIES = ["gsp_canary-key", "canary-password", "canary-phone", "canary-referer", "canary-callback", "canary-user"]
EVERYTHING = (
    "%(h)s %(l)s %(u)s %(r)s %(m)s %(U)s %(q)s %(f)s %(a)s %({referer}i)s %({raw_uri}e)s %({query_string}e)s "
    "%({x-original-uri}i)s %({location}o)s"
)
#: What programs send that forget to write blanks as %20, a colon, or a number.
UNREADABLE = (
    b"GET /sendsms/?recipients=%2B79&message=it is&apikey=gsp_canary-key&x=canary-phone HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /sendsms/?message=it's&apikey=gsp_canary-key&a canary-password\r\nHost: x\r\n\r\n",
    b"GET /sendsms/ HTTP/1.1\r\nHost: x\r\nAuthorization Bearer gsp_canary-key\r\n\r\n",
    b"POST /sendsms/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\napikey=gsp_canary-key\r\n\r\n",
)


@contextmanager
def web(portal: Portal, *options: str) -> Iterator[Path]:
    """The real web with an access log; what it printed."""
    log = portal.folder.parent / "web.log"
    program = str(Path(sys.executable).with_name("gunicorn"))
    command = [program, "--config", "python:portal.web", "--access-logfile", "-", *options, "portal.wsgi"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=REPOSITORY, env=portal.environment)
        try:
            wait_for(lambda: answers(portal), "the web answers")
            yield log
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def answers(portal: Portal) -> bool:
    try:
        return requests.get(f"{portal.address}/healthz", timeout=10).ok
    except requests.RequestException:
        return False


def call(portal: Portal) -> None:
    """All of what must not be found again."""
    queries = {"apikey": "gsp_canary-key", "username": "admin", "password": "canary-password", "to": "canary-phone"}
    headers = {
        "Referer": f"{portal.address}/guest/?token=canary-referer",
        "X-Original-URI": "/sendsms/?apikey=gsp_canary-key",
    }
    for path in ("/api/v1/session", "/api/v1/messages", "/cgi-bin/sendsms", "/sendsms/", "/guest/", "/nowhere"):
        requests.get(portal.address + path, queries, headers=headers, timeout=PATIENCE)
    requests.get(f"{portal.address}/callbacks/sandbox/canary-callback/", timeout=PATIENCE)
    requests.get(f"{portal.address}/api/v1/messages", auth=("canary-user", "canary-password"), timeout=PATIENCE)
    for request in UNREADABLE:
        with socket.create_connection(("127.0.0.1", portal.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            # Until it is answered or cut off, and so written down.
            with suppress(ConnectionError):
                while connection.recv(65_536):
                    pass


@pytest.mark.parametrize("options", [(), ("--access-logformat", EVERYTHING), ("--log-level", "debug")])
def test_a_query_is_in_none_of_what_the_web_prints(installation: Portal, options: tuple[str, ...]) -> None:
    made = installation.first_run()
    assert made.returncode == 0, made.stderr.decode()
    with web(installation, *options) as log:
        call(installation)
    printed = log.read_text(errors="replace")
    assert "/cgi-bin/sendsms" in printed
    assert [canary for canary in CANARIES if canary in printed] == []


def test_nor_is_it_in_what_the_development_server_prints(installation: Portal) -> None:
    made = installation.first_run()
    assert made.returncode == 0, made.stderr.decode()
    log = installation.folder.parent / "runserver.log"
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(installation.port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=REPOSITORY, env=installation.environment)
        try:
            wait_for(lambda: answers(installation), "the web answers")
            call(installation)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    printed = log.read_text(errors="replace")
    assert "/cgi-bin/sendsms" in printed
    assert [canary for canary in CANARIES if canary in printed] == []
