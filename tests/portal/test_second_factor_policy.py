"""Whether a second factor is required: by settings and by where the web really listens, never by a request."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client, override_settings

from portal import checks, web
from portal.models import User
from portal.sign_in import policy
from tests.portal.admin_pages import signed_in
from tests.portal.second_factors import ENROL, is_in, password_given

HERE, EVERYWHERE = "127.0.0.1", "0.0.0.0"


@pytest.fixture(autouse=True)
def _nothing_told() -> Iterator[None]:
    former = list(policy.LISTENING)
    policy.listens_at([])
    yield
    policy.listens_at(former)


@pytest.mark.parametrize(
    ("choice", "production", "proxies", "addresses", "required"),
    [
        ("", False, 0, [HERE], False),
        ("", False, 0, ["::1"], False),
        ("", False, 0, [HERE, "::1"], False),
        ("", False, 0, [HERE, EVERYWHERE], True),
        ("", False, 0, [EVERYWHERE], True),
        ("", False, 0, ["::"], True),
        ("", False, 0, ["192.168.1.5"], True),
        ("", False, 0, ["/run/portal.sock"], True),
        ("", False, 0, [], True),
        ("", False, 1, [HERE], True),
        ("", True, 0, [HERE], True),
        ("", True, 1, [EVERYWHERE], True),
        ("required", False, 0, [HERE], True),
        ("required", True, 0, [EVERYWHERE], True),
        ("optional", False, 0, [EVERYWHERE], False),
        ("optional", True, 1, [], False),
    ],
)
def test_the_table(choice: str, production: bool, proxies: int, addresses: list[str], required: bool) -> None:
    assert policy.decide(choice, production=production, proxies=proxies, addresses=addresses) == required


@pytest.mark.parametrize(("address", "required"), [(HERE, False), (EVERYWHERE, True)])
def test_the_real_sockets_decide_and_not_what_was_configured(address: str, required: bool) -> None:
    with (
        socket.create_server((address, 0)) as listener,
        override_settings(ADMIN_2FA="", PRODUCTION=False, BIND=HERE),
    ):
        web.post_fork(SimpleNamespace(LISTENERS=[listener]), None)
        assert policy.is_required() == required


def test_a_socket_in_the_file_system_is_there_for_a_proxy(tmp_path: Any) -> None:
    with socket.socket(socket.AF_UNIX) as listener, override_settings(ADMIN_2FA="", PRODUCTION=False):
        listener.bind(str(tmp_path / "web.sock"))
        web.post_fork(SimpleNamespace(LISTENERS=[listener]), None)
        assert policy.is_required()


@override_settings(ADMIN_2FA="", PRODUCTION=False)
def test_a_server_that_tells_nothing_may_be_anywhere() -> None:
    assert policy.is_required()


@override_settings(ADMIN_2FA="required")
def test_who_has_no_second_factor_sets_one_up_first(admin: User) -> None:
    client = Client()
    answer = client.post("/admin/login/", {"username": "admin", "password": "correct horse battery staple"})
    assert answer.headers["Location"] == ENROL
    assert not is_in(client)


@override_settings(ADMIN_2FA="required")
def test_headers_of_a_request_change_nothing(admin: User) -> None:
    client = password_given(admin)
    for headers in ({"X-Forwarded-For": HERE}, {"Host": "localhost"}, {"X-Real-IP": HERE}):
        assert client.get("/admin/", headers=headers, REMOTE_ADDR=HERE).status_code == 302


def test_a_session_from_before_it_was_required_is_not_enough(admin: User) -> None:
    client = signed_in(admin)
    assert is_in(client)
    with override_settings(ADMIN_2FA="required"):
        assert not is_in(client)
        assert client.get("/sandbox/").status_code == 302


def test_to_do_without_where_others_can_reach_it_is_warned_of() -> None:
    with override_settings(ADMIN_2FA="optional", PRODUCTION=True):
        assert "portal.W001" in [warning.id for warning in checks.warnings()]
    with override_settings(ADMIN_2FA="optional", BIND=EVERYWHERE):
        assert "portal.W001" in [warning.id for warning in checks.warnings()]
    with override_settings(ADMIN_2FA="optional", PRODUCTION=False):
        assert "portal.W001" not in [warning.id for warning in checks.warnings()]


def test_a_portal_without_a_host_name_is_warned_that_passkeys_do_not_work() -> None:
    with override_settings(PRODUCTION=True, ALLOWED_HOSTS=["10.0.0.5"], PORTAL_URL=""):
        assert [warning.id for warning in checks.warnings() if warning.id == "portal.W002"] == ["portal.W002"]
