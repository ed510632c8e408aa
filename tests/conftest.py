"""The cast of the tests: who signs in, the gateway they send through, and the bells that were rung."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import hypothesis
import pytest
import time_machine
from celery.signals import before_task_publish
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management.commands import flush
from django.middleware import csrf
from django.test import override_settings
from django.utils import timezone, translation
from rest_framework.test import APIClient

from gateways import network
from gateways.models import Gateway
from messaging import bells as bells_of_messaging
from messaging import ringing
from messaging.models import outbox
from messaging.webhooks import keeping
from portal import health, rates, versions
from portal.celery import app as celery_app
from portal.defender import recent
from portal.models import ApiToken, User
from portal.passwords import PortalPasswordHasher
from portal.permissions import ROLES
from tests.emptying import flush_rows
from tests.waiting import A_LONG_TIME

PASSWORD = "correct horse battery staple"
# No example is wrong because the machine was busy.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

Api = Callable[[User | None], APIClient]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests noted of faults at providers, those that stayed alike in one line."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, noted in getattr(report, "user_properties", ()):
            if name == "fault":
                *found, provider = noted
                alike.setdefault(tuple(found), []).append(provider)
    if alike:
        terminalreporter.section("faults at providers")
        terminalreporter.line(f"{'fault':22}{'outcome':17}{'taken':7}provider (taken: credentials + information)")
    for (fault, outcome, taken), providers in sorted(alike.items()):
        terminalreporter.line(f"{fault:22}{outcome:17}{taken:7}{', '.join(sorted(providers))}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """SQLite in a file: threads of a test see one database, with the locks it has in earnest."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(Path(settings.STATE_FOLDER) / "test.sqlite3")
    else:
        request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nobody has to drop the database: it is in a folder of this run, or in a cluster, that goes as a whole.

    PostgreSQL refuses to drop one that a thread of a server still has open whose caller has not hung up.
    """
    return True


@pytest.fixture(scope="session", autouse=True)
def _no_broker() -> None:
    """Bells ring in this process's memory, where no worker listens."""
    celery_app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """A hash takes tens of milliseconds by design, and nearly every test makes one."""
    with patch.multiple(PortalPasswordHasher, time_cost=1, memory_cost=8):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_when_asked_for() -> Iterator[None]:
    """Every new client would make a list of all static files first, which took a third of the time of all tests."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_rows() -> Iterator[None]:
    """What Django does after each test that committed took a sixth of the time of all tests on PostgreSQL."""
    with patch.object(flush.Command, "handle", flush_rows):
        yield


@pytest.fixture(scope="session", autouse=True)
def _providers_have_time() -> Iterator[None]:
    """However slow the machine is, what is there to connect to is found; and the event loop reads these as it starts.

    A test of one of them sets it, and where that is read at the start, stops the loop before and after.
    """
    with patch.multiple(network, CONNECT=A_LONG_TIME, KEEP_ALIVE=A_LONG_TIME, BEGINNING=A_LONG_TIME):
        yield


@pytest.fixture(scope="session", autouse=True)
def _redis_has_time() -> Iterator[None]:
    """Else the database counts where Redis is slow, with statements of its own that some tests count."""
    with patch.object(rates, "PATIENCE", A_LONG_TIME), patch.object(health, "BROKER_PATIENCE", A_LONG_TIME):
        yield


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Domain functions speak the language of who calls; a test that calls them reads English."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _nobody_is_blocked() -> None:
    """Rows go with the database of a test; what the process remembers of them for a second goes here."""
    recent.forget()


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """Nor of what it read under a version of a database that is gone."""
    versions.forget()


@pytest.fixture(autouse=True)
def _what_is_known_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it depend on the speed of the machine how much a test asks, which some count: no second ever ends."""
    monkeypatch.setattr(recent, "GOOD_FOR", A_LONG_TIME)
    monkeypatch.setattr(versions, "GOOD_FOR", A_LONG_TIME)
    monkeypatch.setattr(outbox, "UNASKED", A_LONG_TIME)


@pytest.fixture(autouse=True)
def _nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis outlives the tests: all that sign in would be one host, and too many in a minute."""
    monkeypatch.setattr(rates, "PREFIX", f"test:{uuid4()}")


@pytest.fixture(autouse=True)
def _bells_ring_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not from a thread that may be late for the test."""

    def ring(key: int, task: str = bells_of_messaging.DRAIN) -> None:
        bells_of_messaging.publish(task, key)

    monkeypatch.setattr(ringing, "ring_soon", ring)


@pytest.fixture(autouse=True)
def _webhooks_are_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other process that would have to hear of them."""
    monkeypatch.setattr(keeping, "KNOWN_AFTER", 0.0)


@pytest.fixture
def known_csrf_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random letters of a page's token might be what a test looks for in vain."""
    monkeypatch.setattr(csrf, "get_random_string", lambda length, **_letters: length * "x")


@pytest.fixture
def noon() -> Iterator[None]:
    """The clock goes on from this day's noon: no day ends while a test writes it and the portal reads it."""
    with time_machine.travel(timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)):
        yield


@pytest.fixture
def no_time_passes() -> Iterator[None]:
    """What is to come within seconds does so on the slowest machine."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def bells() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Every task published during the test: its name and its positional arguments."""
    rung: list[tuple[str, tuple[Any, ...]]] = []

    def note(sender: str, body: tuple[Any, ...], **_: Any) -> None:
        rung.append((sender, tuple(body[0])))

    before_task_publish.connect(note, weak=False)
    yield rung
    before_task_publish.disconnect(note)


@pytest.fixture
def admin(db: None) -> User:
    """The administrator: a superuser."""
    return User.objects.create_superuser("admin", password=PASSWORD)


@pytest.fixture
def operator(db: None) -> User:
    """Holds the role `SMS operator`: may send and nothing else."""
    return with_role("operator", "SMS operator")


@pytest.fixture
def auditor(db: None) -> User:
    """Holds the role `Auditor`: may read everything and change nothing."""
    return with_role("auditor", "Auditor")


@pytest.fixture
def nobody(db: None) -> User:
    """Signs in and has no right at all."""
    return User.objects.create_user("nobody", password=PASSWORD)


@pytest.fixture
def sandbox(db: None) -> Gateway:
    """The default gateway, whose messages arrive in our own inbox."""
    return Gateway.objects.create(name="sandbox", provider="sandbox", is_default=True)


@pytest.fixture
def api(db: None) -> Api:
    """Call it with a user for a client that sends the user's token, or with None for one that sends nothing."""
    return _client_of


def _client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        _, token = ApiToken.objects.create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def with_role(username: str, role: str) -> User:
    """Somebody with this role and nothing else."""
    user = User.objects.create_user(username, password=PASSWORD)
    user.groups.add(_role(role))
    return user


def _role(name: str) -> Group:
    # The first migration makes the roles; a test that empties the tables takes them along.
    group, created = Group.objects.get_or_create(name=name)
    if created:
        group.permissions.set(Permission.objects.filter(content_type__app_label="portal", codename__in=ROLES[name]))
    return group
