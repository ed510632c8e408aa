"""What is thrown away in time, and what one failing step does not stop."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import Settings

from portal import housekeeping, registry, tasks
from portal.state import broker_folder

pytestmark = pytest.mark.django_db


def test_a_failing_step_is_logged_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    steps = ["tests.portal.test_housekeeping.fail", "tests.portal.test_housekeeping.nowhere", registry.HOUSEKEEPING[1]]
    monkeypatch.setattr(housekeeping, "HOUSEKEEPING", steps)
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(seconds=1))
    tasks.keep_house()
    assert not Session.objects.exists()
    assert "tests.portal.test_housekeeping.fail failed" in caplog.text
    assert "tests.portal.test_housekeeping.nowhere failed" in caplog.text


def fail() -> int:
    raise RuntimeError


def test_every_registered_step_exists_and_runs(caplog: pytest.LogCaptureFixture) -> None:
    tasks.keep_house()
    assert "failed" not in caplog.text
    assert "gateways.sandbox.forget_old_sandbox_messages" in registry.HOUSEKEEPING


def test_only_expired_sessions_go() -> None:
    now = timezone.now()
    Session.objects.create(session_key="old", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="new", expire_date=now + timedelta(hours=1))
    assert housekeeping.drop_expired_sessions() == 1
    assert Session.objects.get().session_key == "new"


def test_only_old_mail_goes(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = tmp_path / "none"
    assert housekeeping.drop_old_mail() == 0
    settings.EMAIL_FILE_PATH = tmp_path
    old, fresh, other = tmp_path / "1.log", tmp_path / "2.log", tmp_path / "3.txt"
    for path in (old, fresh, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (1, 1))
    assert housekeeping.drop_old_mail() == 1
    assert (old.exists(), fresh.exists(), other.exists()) == (False, True, True)


def test_only_old_drafts_of_the_broker_go(settings: Settings) -> None:
    folder = broker_folder(settings.STATE_FOLDER)
    old, fresh, task = folder / "1.draft", folder / "2.draft", folder / "3.celery.task"
    for path in (old, fresh, task):
        path.touch()
    for path in (old, task):
        os.utime(path, (1, 1))
    assert housekeeping.drop_old_drafts() == 1
    assert not old.exists()
    assert fresh.exists()
    assert task.exists()
    fresh.unlink()
    task.unlink()
