"""A wrong setting is refused at start by every process, with an id and a remedy, and never with its value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from portal import checks
from tests.engine import PRODUCTION, REPOSITORY, variables

SECRET = "canary-in-a-setting"
#: A set-up that has everything; nobody listens at port 1, and the checks do not ask.
COMPLETE = PRODUCTION | {
    "DATABASE_URL": f"postgres://portal:{SECRET}@127.0.0.1:1/portal",
    "REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1/0",
}


def start(module: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | dict.fromkeys(variables(), "") | {"PORTAL_VAR": str(folder)} | changes
    return subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("changes", "problem", "remedy"),
    [
        ({"PORT": "eighty"}, "portal.E001: PORT", "1 to 65535"),
        ({"PORTAL_TIME_ZONE": "Moscow"}, "portal.E001: PORTAL_TIME_ZONE", "Europe/Moscow"),
        ({"PHONE_REGION": "Russia"}, "portal.E001: PHONE_REGION", "RU"),
        ({"PORTAL_URL": f"sms.example.org/{SECRET}"}, "portal.E001: PORTAL_URL", "https://sms.example.org"),
        ({"PORTAL_URL": f"https://{SECRET}:99999"}, "portal.E001: PORTAL_URL", "https://sms.example.org"),
        (
            {"PORTAL_URL": f"https://user:{SECRET}@sms.example.org"},
            "portal.E001: PORTAL_URL",
            "https://sms.example.org",
        ),
        ({"GATEWAY_ALLOWED_NETWORKS": f"10.0.0.0/8,{SECRET}"}, "portal.E001: GATEWAY_ALLOWED", "192.168.10.0/24"),
        ({"GATEWAY_ALLOWED_NETWORKS": "192.168.10.5/24"}, "portal.E001: GATEWAY_ALLOWED", "192.168.10.0/24"),
        ({"SECRET_KEY": SECRET}, "portal.E002: SECRET_KEY is too short", "50 characters"),
        ({"ENCRYPTION_KEYS": f"{'k' * 32},{SECRET}"}, "portal.E003: Key 2 of ENCRYPTION_KEYS", "32 characters"),
        (COMPLETE | {"DATABASE_URL": f"mysql://{SECRET}@host/name"}, "portal.E001: DATABASE_URL", "postgres://"),
        (COMPLETE | {"REDIS_URL": f"amqp://{SECRET}@host"}, "portal.E001: REDIS_URL", "redis://"),
        (COMPLETE | {"SECRET_KEY": ""}, "portal.E002: SECRET_KEY is missing", "token_urlsafe"),
        (COMPLETE | {"ENCRYPTION_KEYS": ""}, "portal.E003: ENCRYPTION_KEYS is missing", "as long as the database"),
        (COMPLETE | {"ALLOWED_HOSTS": ""}, "portal.E004: ALLOWED_HOSTS", "portal.example.org"),
        (COMPLETE | {"ALLOWED_HOSTS": "a.example,*"}, "portal.E004: ALLOWED_HOSTS", "portal.example.org"),
        ({"PROXY_COUNT": "1"}, "portal.E007: PROXY_COUNT is read no more", "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": f"10.0.0.1,{SECRET}"}, "portal.E001: TRUSTED_PROXIES", "127.0.0.1/32"),
        ({"DEFENDER_LIMIT": "0"}, "portal.E001: DEFENDER_LIMIT", "1 to 1000"),
        (COMPLETE | {"REDIS_URL": ""}, "portal.E005: DATABASE_URL is set", "Set REDIS_URL as well"),
        (COMPLETE | {"DATABASE_URL": ""}, "portal.E005: REDIS_URL is set", "Set DATABASE_URL as well"),
    ],
)
def test_the_web_does_not_start_and_says_why(
    changes: dict[str, str], problem: str, remedy: str, tmp_path: Path
) -> None:
    done = start("portal.wsgi", tmp_path / "var", **changes)
    assert done.returncode == checks.REFUSED
    assert done.stderr.count("portal.E") == 1
    assert problem in done.stderr
    assert remedy in done.stderr
    assert SECRET not in done.stderr + done.stdout


def test_both_complete_set_ups_start(tmp_path: Path) -> None:
    assert start("portal.wsgi", tmp_path / "var").stderr == ""
    assert start("portal.wsgi", tmp_path / "var", **COMPLETE).stderr == ""


def test_a_state_folder_that_others_can_look_into_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    done = start("portal.wsgi", folder)
    assert done.returncode == checks.REFUSED
    assert f"chmod 700 {folder}" in done.stderr


def test_a_state_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start("portal.wsgi", tmp_path / "file" / "var")
    assert done.returncode == checks.REFUSED
    assert done.stderr.startswith("portal.E006: ")
    assert done.stderr.count("portal.E") == 1
    assert "PORTAL_VAR" in done.stderr


@pytest.mark.parametrize("command", [["worker", "--pool", "solo"], ["beat", "--pidfile="]], ids=["the worker", "beat"])
def test_neither_the_worker_nor_beat_starts(command: list[str], tmp_path: Path) -> None:
    environment = os.environ | dict.fromkeys(variables(), "") | {"PORTAL_VAR": str(tmp_path / "var"), "PORT": "eighty"}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "portal", "--quiet", *command],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == checks.REFUSED
    assert "portal.E001: PORT" in done.stderr


def test_management_commands_know_the_checks() -> None:
    with override_settings(ENCRYPTION_KEYS=["short"]):
        assert [error.id for error in checks.errors()] == ["portal.E003"]
    assert checks.errors() == []
