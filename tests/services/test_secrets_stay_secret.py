"""After a violent night no password and no token can be read in any file or in anything a process printed."""

import os
from pathlib import Path

import pytest

from tests.engine import CLUSTER
from tests.services.stack import ADMIN_PASSWORD, Portal, wait_for

pytestmark = pytest.mark.both_engines

GUEST_PASSWORD = "canary-guest-5RmXn9cJ"


def files_with(portal: Portal, secret: str) -> list[str]:
    """Which files of the portal, its output and its database hold the secret as it is."""
    assert not portal.is_running()
    folders = [portal.folder, *map(Path, filter(None, [os.environ[CLUSTER]]))]
    below = (Path(path, name) for folder in folders for path, _, names in os.walk(folder) for name in names)
    paths = [portal.log, *(path for path in below if path.is_file())]
    return sorted(str(path) for path in paths if secret.encode() in content(path))


def content(path: Path) -> bytes:
    """What the file holds: nothing once it is gone, for other tests make and drop databases in the same cluster."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_neither_a_password_nor_a_token_is_readable_anywhere(portal: Portal) -> None:
    portal.call("POST", "users", {"pid": "guest-1", "telephone": "+79161234567", "password": GUEST_PASSWORD})
    numbers = [
        portal.call(
            "POST",
            "sms_gateways/send_user_credentials",
            {"sms_gateway": "sandbox", "pid": "guest-1", "password": GUEST_PASSWORD, "set_password": True},
        )["item"]["id"]
        for _ in range(5)
    ]
    portal.kill_everything()
    found_in_pieces = [files_with(portal, secret) for secret in (GUEST_PASSWORD, ADMIN_PASSWORD, portal.token)]
    portal.start()
    wait_for(
        lambda: all(portal.message(number)["state"] == "delivered" for number in numbers), "everything is delivered"
    )
    portal.stop()
    found_at_the_end = [files_with(portal, secret) for secret in (GUEST_PASSWORD, ADMIN_PASSWORD, portal.token)]
    assert found_in_pieces == [[], [], []]
    assert found_at_the_end == [[], [], []]


def test_the_search_finds_what_is_written_plainly(portal: Portal) -> None:
    """So that the test above cannot pass by looking in the wrong places."""
    portal.call("POST", "users", {"pid": "canary-pid-7Kd", "telephone": "+79161234567"})
    portal.stop()
    assert str(portal.log) in files_with(portal, "celery@")
    assert files_with(portal, "canary-pid-7Kd")
