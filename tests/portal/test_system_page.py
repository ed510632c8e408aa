"""`/admin/system/` and `GET /api/v1/system`: what is well, what is not, and what to do; also when parts are down."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.checks import Warning as CheckWarning
from django.core.checks.registry import registry as check_registry
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from portal import health, housekeeping, tasks
from portal.models import LastRun, User, WorkerHeartbeat
from portal.permissions import Right
from portal.state import broker_folder
from portal.system import State, ground, report
from portal.version import version
from tests.conftest import Api
from tests.portal.admin_pages import signed_in, staff_with

PAGE, URL = "/admin/system/", "/api/v1/system"

#: A worker that is not seen for seconds is taken for dead.
pytestmark = pytest.mark.usefixtures("no_time_passes")


@pytest.fixture(autouse=True)
def _embedded(settings: Settings, tmp_path: Path) -> None:
    """The broker is a folder, whatever else the run has."""
    settings.REDIS_URL, settings.STATE_FOLDER = "", tmp_path
    broker_folder(tmp_path).mkdir()


def seen(seconds_ago: float, worker: str = "here:1") -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerHeartbeat.objects.create(worker=worker, at=at, started_at=at, version=version())


def lines(api: Api, user: User) -> dict[str, dict[str, str]]:
    answer = api(user).get(URL)
    assert answer.status_code == 200
    return {line["about"]: line for line in answer.json()["items"]}


def state(api: Api, user: User, about: str) -> tuple[str, str]:
    line = lines(api, user)[about]
    return line["state"], line["remedy"]


def test_all_is_well(api: Api, admin: User, settings: Settings) -> None:
    settings.HTTPS = True
    # Of a portal that others can reach, nothing to be warned of.
    settings.ADMIN_2FA, settings.PORTAL_URL = "required", "https://sms.example.org"
    seen(3)
    tasks.keep_house()
    found = lines(api, admin)
    well = ("Portal", "Last sweep", "here:1", "Answers", "Tasks in the queue", "Migrations", "Housekeeping")
    assert {name: found[name]["state"] for name in well} == dict.fromkeys(well, "ok")
    assert found["Portal"]["value"] == version() != ""
    assert found["Migrations"]["value"] == "all applied"
    assert api(admin).get(URL).json()["state"] == "ok"


def test_the_page_shows_the_same_lines(api: Api, admin: User) -> None:
    html = signed_in(admin).get(PAGE, headers={"accept-language": "en"}).content.decode()
    for about, line in lines(api, admin).items():
        assert about in html
        assert line["remedy"].split("'")[0] in html


def test_both_are_for_those_who_may_read_the_system(api: Api, operator: User) -> None:
    assert signed_in(operator).get(PAGE).status_code == 403
    assert "SYSTEM_READ" in api(operator).get(URL).json()["message"]
    assert signed_in(staff_with("clerk", Right.SYSTEM_READ)).get(PAGE).status_code == 200


def test_looking_writes_nothing(api: Api, admin: User) -> None:
    client = signed_in(admin)
    client.get(PAGE)
    before = LastRun.objects.count(), WorkerHeartbeat.objects.count()
    client.get(PAGE)
    assert (LastRun.objects.count(), WorkerHeartbeat.objects.count()) == before


def test_a_worker_that_is_gone_is_said_so_and_without_any_nothing_is_sent(api: Api, admin: User) -> None:
    seen(60)
    assert state(api, admin, "here:1")[0] == "warning"
    found, remedy = state(api, admin, "Last sweep")
    assert found == "error"
    assert "Start the worker" in remedy


def test_a_worker_that_stops_takes_its_leave(db: None) -> None:
    seen(1, worker=health.process_name())
    seen(1, worker="other:2")
    health.say_goodbye()
    assert WorkerHeartbeat.objects.get().worker == "other:2"


def test_a_heartbeat_says_which_version_runs_since_when(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_last_beat", health._LastBeat())
    health.beat(health.process_name())
    beat = WorkerHeartbeat.objects.get()
    assert beat.version == version()
    assert beat.started_at is not None
    assert beat.started_at <= beat.at


def test_a_broker_that_is_away_is_a_line_and_no_failure(api: Api, admin: User, settings: Settings) -> None:
    settings.REDIS_URL = "redis://:canary@127.0.0.1:1/0"
    found, remedy = state(api, admin, "Answers")
    assert found == "error"
    assert "Start Redis" in remedy
    answer = signed_in(admin).get(PAGE)
    assert answer.status_code == 200
    assert b"canary" not in answer.content


def test_a_folder_of_the_broker_that_is_gone_is_a_line_too(api: Api, admin: User, tmp_path: Path) -> None:
    broker_folder(tmp_path).rmdir()
    assert state(api, admin, "Answers")[0] == "error"


def test_bells_that_nobody_answers_are_counted(api: Api, admin: User, tmp_path: Path) -> None:
    for number in range(1001):
        (broker_folder(tmp_path) / f"{number}.celery.task").touch()
    line = lines(api, admin)["Tasks in the queue"]
    assert (line["value"], line["state"]) == ("1001", "warning")


def test_a_part_that_cannot_be_told_is_at_fault_and_the_others_are_told(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> int:
        raise DatabaseError("password=canary")

    monkeypatch.setattr("portal.system.servers.database_size", away)
    found = lines(api, admin)
    assert (found["Database"]["value"], found["Database"]["state"]) == ("DatabaseError", "error")
    assert found["Portal"]["state"] == "ok"
    assert "canary" not in str(found)
    assert signed_in(admin).get(PAGE).status_code == 200


def test_migrations_that_are_missing_are_named(api: Api, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.system.servers.migrations_missing", lambda: ["portal.0099_more"])
    line = lines(api, admin)["Migrations"]
    assert (line["value"], line["state"], line["remedy"]) == ("portal.0099_more", "error", "Run manage.py migrate.")


def test_what_the_checks_say_is_there_with_its_remedy(api: Api, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def complaint(**_: object) -> list[CheckWarning]:
        return [CheckWarning("The moon is blue.", hint="Paint it.", id="tests.W001")]

    monkeypatch.setattr(check_registry, "deployment_checks", {complaint, *check_registry.deployment_checks})
    line = lines(api, admin)["tests.W001"]
    assert (line["value"], line["state"], line["remedy"]) == ("The moon is blue.", "warning", "Paint it.")


@pytest.mark.parametrize(("host", "expected"), [("localhost", "ok"), ("portal.example.org", "warning")])
def test_plain_http_is_well_on_this_machine_alone(db: None, settings: Settings, host: str, expected: str) -> None:
    settings.HTTPS, settings.ALLOWED_HOSTS = False, ["127.0.0.1", host]
    line = next(ground.configuration())
    assert (line.about, line.state) == ("HTTPS", expected)


def test_housekeeping_that_failed_or_did_not_run_is_said_so(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state(api, admin, "Housekeeping")[0] == "warning"
    monkeypatch.setattr(housekeeping, "HOUSEKEEPING", ["tests.portal.test_housekeeping.fail"])
    tasks.keep_house()
    line = lines(api, admin)["Housekeeping"]
    assert line["state"] == "error"
    assert "tests.portal.test_housekeeping.fail" in line["value"]
    LastRun.objects.update(at=timezone.now() - timedelta(minutes=6), result={})
    assert state(api, admin, "Housekeeping")[0] == "warning"


@pytest.mark.parametrize(("free", "expected"), [(10**12, "ok"), (5 * 10**8, "warning"), (10**8, "error")])
def test_a_disk_that_fills_up_is_noticed(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch, free: int, expected: str
) -> None:
    monkeypatch.setattr("portal.system.ground.shutil.disk_usage", lambda _folder: _Usage(free))
    assert state(api, admin, "Free on the disk of the state folder")[0] == expected


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_the_worst_state_counts() -> None:
    assert report.worst(iter(())) == "ok"
    assert report.worst(iter([State.OK, State.ERROR, State.WARNING])) == "error"
