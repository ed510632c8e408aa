"""`/healthz`, `/readyz` and the heartbeat of workers."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from portal import health, registry
from portal.models import WorkerHeartbeat
from portal.state import broker_folder

#: A worker that is not seen for seconds is taken for dead.
pytestmark = pytest.mark.usefixtures("no_time_passes")


@pytest.fixture(autouse=True)
def _embedded_broker(settings: Settings, tmp_path: Path) -> None:
    """The broker is a folder, whatever else the run has."""
    settings.REDIS_URL = ""
    settings.STATE_FOLDER = tmp_path
    broker_folder(tmp_path).mkdir()


def seen(seconds_ago: float) -> None:
    WorkerHeartbeat.objects.create(worker="one", at=timezone.now() - timedelta(seconds=seconds_ago))


def test_the_web_is_well_without_any_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_probes_cannot_be_posted_to() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405


@pytest.mark.django_db
def test_it_is_ready_when_everything_is_there(client: Client) -> None:
    seen(seconds_ago=3)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": []})


@pytest.mark.django_db
def test_it_names_the_worker_that_was_not_seen_for_long_and_logs_no_error_at_every_probe(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    seen(seconds_ago=16)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "missing": ["worker"]})
    assert not caplog.records


@pytest.mark.django_db
def test_it_names_the_folder_of_the_broker_that_is_gone(client: Client, tmp_path: Path) -> None:
    seen(seconds_ago=3)
    broker_folder(tmp_path).rmdir()
    assert client.get("/readyz").json()["missing"] == ["broker"]


@pytest.mark.django_db
def test_it_names_the_redis_that_does_not_answer(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    seen(seconds_ago=3)
    settings.REDIS_URL = "redis://:canary@127.0.0.1:1/0"
    assert client.get("/readyz").json()["missing"] == ["broker"]
    assert "canary" not in caplog.text


@pytest.mark.django_db
def test_it_names_the_database_that_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen(seconds_ago=3)

    def fail() -> bool:
        raise DatabaseError

    monkeypatch.setattr(health, "database_answers", fail)
    assert client.get("/readyz").json()["missing"] == ["database"]


@pytest.mark.django_db
def test_an_app_adds_what_it_needs(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen(seconds_ago=3)
    monkeypatch.setitem(registry.NEEDS, "moon", "tests.portal.test_health.the_moon_shines")
    assert client.get("/readyz").json()["missing"] == ["moon"]


def the_moon_shines() -> bool:
    return False


@pytest.mark.django_db
def test_a_worker_is_written_down_once_however_often_it_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    monkeypatch.setattr(health, "_last_beat", health._LastBeat())
    health.beat("one")
    WorkerHeartbeat.objects.update(at=timezone.now() - timedelta(hours=1))
    health.beat("one")
    assert not health.worker_is_alive()
    monkeypatch.setattr(health, "_last_beat", health._LastBeat())
    health.beat("one")
    assert health.worker_is_alive()
    assert WorkerHeartbeat.objects.count() == 1


@pytest.mark.django_db
def test_workers_that_are_long_gone_are_forgotten() -> None:
    seen(seconds_ago=25 * 3600)
    WorkerHeartbeat.objects.create(worker="two", at=timezone.now())
    assert health.forget_old_workers() == 1
    assert WorkerHeartbeat.objects.get().worker == "two"
