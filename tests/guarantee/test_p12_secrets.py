"""P12: after a violent night no password, token, code or text can be read anywhere, and no phone once it is wiped.

Looked at are the files of the portal and of its database, what its processes printed and left in the folder for
temporary files, the tasks that wait at the broker, `/metrics`, and a dump of the database, once more when the time of
all rows is over. What pages and errors show is in `test_p12_pages.py`. The portal traces nothing and makes no calls to
other systems.
"""

import base64
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from tests.engine import CLUSTER
from tests.servers import postgresql_program
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.services.test_broker_loss import freeze_workers
from tests.simulators.peers import smsgate
from tests.simulators.server import Simulator
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

GUEST_PASSWORD = "canary-guest-5RmXn9cJ"
GATEWAY_PASSWORD = "canary-gateway-2VtYb6hQ"
CODE = "canary-code-9WkPz3dF"
TEXT = "canary-text-4HsLx8mG"
PHONE = "+79165557391"
#: Is nobody's secret: what is searched for it would find the others too.
PID = "canary-pid-7Kd"
#: How a key of each kind is read at Redis.
READ: dict[bytes, Callable[[Any, bytes], Iterable[bytes]]] = {
    b"string": lambda client, key: [client.get(key)],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"hash": lambda client, key: client.hvals(key),
}
#: Where a row begins in a dump, and of which table.
ROW = re.compile(r'^INSERT INTO (?:public\.)?"?(\w+)"? ', re.MULTILINE)
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def folders(portal: Portal) -> list[Path]:
    """Where the portal, its database and its temporary files are."""
    return [portal.folder, Path(portal.environment["TMPDIR"]), *map(Path, filter(None, [os.environ[CLUSTER]]))]


def contents(portal: Portal) -> dict[str, bytes]:
    """What every file of a portal that does not run holds, its output too."""
    assert not portal.processes()
    below = (Path(path, name) for folder in folders(portal) for path, _, names in os.walk(folder) for name in names)
    return {str(path): content(path) for path in [portal.log, *below] if path.is_file()}


def content(path: Path) -> bytes:
    """What the file holds: nothing once it is gone, for other tests make and drop databases in the same cluster."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def holding(found: dict[str, bytes], *secrets: str) -> list[tuple[str, str]]:
    """Which files hold which of the secrets as it is."""
    return [(secret, name) for name, said in found.items() for secret in secrets if secret.encode() in said]


def tasks_of(portal: Portal) -> bytes:
    """All that waits at the broker, with what is wrapped in it as base64."""
    return b"\n".join(unwrapped(said) for said in _waiting(portal))


def _waiting(portal: Portal) -> Iterable[bytes]:
    if not portal.environment["REDIS_URL"]:
        return [content(path) for path in (portal.folder / "broker").iterdir() if path.is_file()]
    with redis.Redis.from_url(portal.environment["REDIS_URL"]) as client:
        return [piece for key in client.scan_iter() for piece in [key, *READ[client.type(key)](client, key)]]


def unwrapped(said: bytes) -> bytes:
    """The same with what its base64 says."""
    return b"\n".join([said, *(base64.b64decode(piece + b"==") for piece in BASE64.findall(said))])


def dump(portal: Portal) -> str:
    """The whole database as a backup in text has it."""
    address = portal.environment["DATABASE_URL"]
    if not address:
        with closing(sqlite3.connect(portal.folder / "portal.sqlite3")) as connection:
            return "\n".join(connection.iterdump())
    command = [postgresql_program("pg_dump"), "--inserts", "--dbname", address]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tables_with(dumped: str, words: Iterable[str]) -> dict[str, set[str]]:
    """Of each word in which tables a dump holds it, as it is or as bytes are written there; without those in none."""
    # What comes before the first row makes the tables.
    head, *rows = ROW.split(dumped)
    told = [("", head), *zip(rows[::2], rows[1::2], strict=True)]
    found = {
        word: {table for table, said in told if word in said or word.encode().hex() in said.lower()} for word in words
    }
    return {word: tables for word, tables in found.items() if tables}


@pytest.mark.parametrize(
    ("written", "tables"),
    [
        ("'a canary sings'", {"one"}),
        ("'two lines\nand a canary'", {"one"}),
        ("X'612063616E617279'", {"one"}),
        (r"'\x612063616e617279'", {"one"}),
        ("'a sparrow'", None),
    ],
)
def test_a_dump_that_holds_a_word_is_noticed(written: str, tables: set[str] | None) -> None:
    of_sqlite = f'CREATE TABLE "one";\nINSERT INTO "one" VALUES(1,{written});\nINSERT INTO "two" VALUES(2);'
    of_postgresql = f"INSERT INTO public.one VALUES (1, {written});\nINSERT INTO public.two VALUES (2);"
    for dumped in (of_sqlite, of_postgresql):
        assert tables_with(dumped, ["canary"]).get("canary") == tables


def test_nothing_secret_can_be_read_anywhere(
    installation: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = installation
    monkeypatch.setattr(smsgate, "PASSWORD", GATEWAY_PASSWORD)
    portal.environment |= {"TMPDIR": str(tmp_path), "GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}
    portal.start()
    portal.login()
    with Simulator("smsgate") as provider:
        secrets = [GUEST_PASSWORD, ADMIN_PASSWORD, GATEWAY_PASSWORD, CODE, TEXT, portal.token]
        settings = provider.peers["smsgate"].settings()
        gateway = {"id": "far", "provider": "smsgate", "settings": settings, "sender": "Portal", "is_default": True}
        portal.call("POST", "sms_gateways", gateway)
        portal.call("POST", "users", {"pid": PID, "telephone": "+79161234567", "password": GUEST_PASSWORD})

        # Nobody takes the bells, so that they can be looked at; then everything is killed with all in the queue.
        frozen = freeze_workers(portal)
        credentials = {"sms_gateway": "far", "pid": PID, "password": GUEST_PASSWORD, "set_password": True}
        numbers = [portal.call("POST", "sms_gateways/send_user_credentials", credentials)["item"]["id"]]
        information = {"sms_gateway": "far", "phone_number": PHONE, "message": TEXT}
        numbers.append(portal.call("POST", "sms_gateways/send_sms", information)["item"]["id"])
        numbers.append(portal.ask_desk(f"send_code('{PHONE}', '{CODE}')"))
        # The web answers before its thread has rung.
        wait_for(lambda: b"messaging.tasks.drain" in tasks_of(portal), "the bells wait in the queue")
        tasks = tasks_of(portal)
        assert [secret for secret in [*secrets, PHONE[1:]] if secret.encode() in tasks] == []
        portal.kill_everything()
        portal.thaw(frozen)
        in_pieces = contents(portal)
        assert holding(in_pieces, *secrets) == []
        assert [name for _, name in holding(in_pieces, PHONE[2:]) if name.endswith(".log")] == []

        portal.start()
        wait_for(lambda: all(portal.message(number)["state"] == "delivered" for number in numbers), "all is delivered")
        assert {sms.text for sms in provider.taken} >= {TEXT}
        metrics = requests.get(f"{portal.address}/metrics", timeout=60)
        assert metrics.status_code == 200
        assert [secret for secret in [*secrets, PHONE[2:]] if secret in metrics.text] == []
        portal.stop()

    at_the_end = contents(portal)
    assert holding(at_the_end, *secrets) == []
    assert [name for _, name in holding(at_the_end, PHONE[2:]) if name.endswith(".log")] == []
    # The search would have found them.
    assert str(portal.log) in [name for _, name in holding(at_the_end, "celery@")]
    assert holding(at_the_end, PID)
    searched = [*secrets, PHONE[2:]]
    assert tables_with(dump(portal), searched) == {PHONE[2:]: {"messaging_message"}}
    portal.ask_desk("let_a_year_pass()")
    a_year_later = dump(portal)
    assert tables_with(a_year_later, searched) == {}
    assert tables_with(a_year_later, ["0001_initial"]) == {"0001_initial": {"django_migrations"}}
