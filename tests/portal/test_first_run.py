"""A first run makes what is missing, once, and says it once."""

import re
import socket
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import override_settings
from pytest_django import Settings

from portal import first_run, registry
from portal.models import User
from portal.passwords import readable_password
from tests.servers import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _free_port() -> Iterator[None]:
    with override_settings(PORT=free_port()):
        yield


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No step of any app, until a test adds one."""
    chosen: list[str] = []
    monkeypatch.setattr(first_run, "FIRST_RUN", chosen)
    return chosen


def test_it_makes_an_administrator_with_a_random_password_that_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "")
    [line] = first_run.make_administrator()
    found = re.search(r"password ([a-z0-9-]{19}) ", line)
    assert found
    assert User.objects.get(is_superuser=True, username="admin").check_password(found[1])


def test_two_random_passwords_differ() -> None:
    assert readable_password() != readable_password()


def test_a_given_password_is_used_and_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "canary-password")
    [line] = first_run.make_administrator()
    assert "canary-password" not in line
    assert User.objects.get(username="admin").check_password("canary-password")


@pytest.mark.parametrize("weak", ["a", "12345678901234", "password1", "admin"])
def test_a_given_password_that_is_easily_guessed_is_refused_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", weak)
    with pytest.raises(CommandError, match="PORTAL_ADMIN_PASSWORD is too weak: choose a better one"):
        call_command("first_run")
    assert not User.objects.exists()


def test_a_database_that_does_not_answer_is_named_without_its_address(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("canary")

    monkeypatch.setattr(first_run, "call_command", fail)
    settings.PRODUCTION = True
    with pytest.raises(first_run.CannotStart, match="The database of DATABASE_URL does not answer") as refused:
        list(first_run.run())
    assert "canary" not in str(refused.value)
    settings.PRODUCTION = False
    with pytest.raises(first_run.CannotStart, match="The database does not answer: look at the folder of PORTAL_VAR"):
        list(first_run.run())


def test_no_administrator_is_made_where_there_is_a_user(nobody: User) -> None:
    assert list(first_run.make_administrator()) == []
    assert User.objects.get() == nobody


def test_steps_of_apps_are_run_and_their_lines_printed(steps: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    steps += ["tests.portal.test_first_run.speaks", "tests.portal.test_first_run.says_nothing"]
    call_command("first_run")
    printed = capsys.readouterr().out.splitlines()
    assert "a step was here" in printed
    assert "None" not in printed


def speaks() -> str:
    return "a step was here"


def says_nothing() -> None:
    return None


def test_it_prints_the_addresses(settings: Settings) -> None:
    settings.PORT = 8001
    assert "API documentation: http://127.0.0.1:8001/api/docs/" in list(first_run.addresses())
    assert registry.PAGES["Sandbox phone"] == "/sandbox/"


def test_a_taken_port_is_refused_with_another_to_choose(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings.PORT = other.getsockname()[1]
        with pytest.raises(CommandError, match=r"PORT=\d+ make run"):
            call_command("first_run")
    assert not User.objects.exists()


def test_wrong_settings_are_refused_before_anything_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(ENCRYPTION_KEYS=["short"]), pytest.raises(SystemExit):
        call_command("first_run")
    assert "portal.E003" in capsys.readouterr().err
    assert not User.objects.exists()
