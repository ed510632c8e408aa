"""Somebody guesses passwords: his host is turned away wherever he tries, and nobody else is."""

from collections.abc import Iterator

import pytest
import requests

from tests.browser.conftest import Open, Visit, give_password, installed, sign_in
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.waiting import PATIENCE, wait_for

GUESSING, OTHER = "192.0.2.66", "198.51.100.7"
WRONG = "canary-wrong-3RmQz1"


@pytest.fixture
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal that believes what this machine says of where a request comes from."""
    folder = tmp_path_factory.mktemp("guessed-at")
    with installed(folder, TRUSTED_PROXIES="127.0.0.1/32", ADMIN_2FA="optional") as found:
        yield found


def ask(portal: Portal, host: str, path: str, body: object = None, token: str = "") -> int:
    """What the API answers to a program at that host: its status."""
    headers = {"X-Forwarded-For": host} | ({"Authorization": f"Bearer {token}"} if token else {})
    method = "GET" if body is None else "POST"
    address = f"{portal.address}/api/v1/{path}"
    return requests.request(method, address, json=body, headers=headers, timeout=PATIENCE).status_code


def login(portal: Portal, host: str, password: str) -> int:
    """The API's own way in."""
    return ask(portal, host, "login", {"username": "admin", "password": password})


def from_host(visit: Visit, host: str) -> Visit:
    """The proxy says that this browser is there."""
    visit.page.set_extra_http_headers({"X-Forwarded-For": host})
    return visit


def test_the_host_is_blocked_everywhere_until_somebody_else_unblocks_it(behind_proxy: Portal, opened: Open) -> None:
    portal = behind_proxy
    portal.login()
    guessing, administrator = from_host(opened(portal), GUESSING), from_host(opened(portal), OTHER)
    assert ask(portal, GUESSING, "messages", token=portal.token) == 200

    guess_six_times(portal, guessing)
    guessing.watch.expected.add(429)
    # Each of the web's processes remembers for a second whom it did not turn away, and later whom it did.
    wait_for(lambda: guessing.go("/admin/login/") == 429, "the page is closed")
    guessing.inspect("d1-turned-away")
    assert login(portal, GUESSING, ADMIN_PASSWORD) == 429
    wait_for(lambda: ask(portal, GUESSING, "messages", token=portal.token) == 429, "tokens are no way in")

    assert login(portal, OTHER, ADMIN_PASSWORD) == 200
    sign_in(administrator, "admin", ADMIN_PASSWORD)
    unblock(administrator)
    guessing.watch.expected.clear()
    wait_for(lambda: login(portal, GUESSING, ADMIN_PASSWORD) == 200, "the host is let in again")
    sign_in(guessing, "admin", ADMIN_PASSWORD)


def guess_six_times(portal: Portal, visit: Visit) -> None:
    """By the API and by the page in turn; the sixth try meets the block."""
    for _pair in range(2):
        assert login(portal, GUESSING, WRONG) == 401
        give_password(visit, "admin", WRONG)
        visit.page.wait_for_selector(".errornote, [role=alert]")
    assert login(portal, GUESSING, WRONG) in {401, 429}
    assert login(portal, GUESSING, WRONG) == 429


def unblock(visit: Visit) -> None:
    """In the Defender, by one click for each row: the host, and the name that was tried there."""
    visit.go("/admin/portal/watchedhost/")
    buttons = visit.page.get_by_role("button", name=f"Unblock {GUESSING}")
    buttons.first.wait_for()
    visit.inspect("d2-the-defender")
    for _row in range(buttons.count()):
        with visit.page.expect_navigation():
            buttons.first.click()
        assert f"{GUESSING} was unblocked." in visit.page.inner_text("main")
    assert buttons.count() == 0
    visit.shoot("d3-unblocked")
