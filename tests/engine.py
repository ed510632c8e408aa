"""A pytest plugin that chooses what the suite runs on: SQLite, or PostgreSQL and Redis with `--engine postgresql`.

It is loaded before Django's settings (`-p tests.engine` in pyproject.toml), because the environment is what they read.
With PostgreSQL only the tests that touch a database or run the real processes are collected.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.servers import Servers

#: Every test that was found, on whichever engine it is run.
FOUND = pytest.StashKey[list[pytest.Item]]()
REPOSITORY = Path(__file__).resolve().parent.parent
#: Set in the environment by the first process, so that xdist's workers use the same servers.
ENGINE = "PORTAL_TEST_ENGINE"
#: The folder of PostgreSQL's files, empty with SQLite.
CLUSTER = "PORTAL_TEST_CLUSTER"
#: Keys of a set-up that keeps none of its own; they are worth nothing outside a test run.
PRODUCTION = {
    "SECRET_KEY": "tests-only-" + "s" * 60,
    "ENCRYPTION_KEYS": "tests-only-" + "e" * 40,
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "PORTAL_HTTPS": "false",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what the suite runs on; postgresql starts its own PostgreSQL and Redis",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Prepares the environment before pytest-django reads the settings."""
    # Each process of each portal would read the whole source anew where Python is forbidden to keep what it compiled.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if ENGINE not in os.environ:
        forget_the_developers_settings()
        os.environ[CLUSTER] = ""
        os.environ[ENGINE] = early_config.known_args_namespace.engine
        if os.environ[ENGINE] == "postgresql":
            servers = Servers()
            early_config.add_cleanup(servers.stop)
            os.environ.update(PRODUCTION | servers.addresses | {CLUSTER: str(servers.postgresql.folder)})
    # Providers are simulators on this machine, which an ordinary portal would not call.
    os.environ["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    # Tests of the pages behind the sign-in come in without one; those of the sign-in choose.
    os.environ["ADMIN_2FA"] = "optional"
    state_folder = tempfile.mkdtemp(prefix="portal-test-")
    early_config.add_cleanup(lambda: shutil.rmtree(state_folder, ignore_errors=True))
    os.environ["PORTAL_VAR"] = state_folder


def forget_the_developers_settings() -> None:
    """An empty variable counts as unset and also hides the one in `.env`."""
    for name in variables():
        os.environ[name] = ""


def variables() -> list[str]:
    """Every variable that `.env.example` documents."""
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    return [line.lstrip("# ").partition("=")[0] for line in lines if is_assignment(line)]


def environment_of_a_portal() -> dict[str, str]:
    """The variables of a process of the portal's own: nothing of a developer's settings, nor of this run's servers."""
    ours = set(variables())
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    # Empty hides what a developer's .env says.
    inherited |= dict.fromkeys(ours, "")
    return inherited | (PRODUCTION if os.environ["DATABASE_URL"] else {})


def is_assignment(line: str) -> bool:
    """Whether the line of `.env.example` is a variable, commented out or not, and no prose."""
    name, equals, _ = line.lstrip("# ").partition("=")
    return bool(equals) and name.isupper() and " " not in name


class OnePortalEach(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share a running portal or browser are run by one of xdist's workers, so that it is started once.

    All come in the order in which they were found: once a test has emptied the tables, the rows that migrations made
    are missing for others, and pytest-django puts such tests last.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        folder, file = nodeid.split("::", maxsplit=1)[0].rsplit("/", 1)
        return {"tests/browser": folder, "tests/services": file}.get(folder, nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OnePortalEach:
    """Asked by xdist where there is more than one worker."""
    return OnePortalEach(config, log)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_engines: run on SQLite and on PostgreSQL although no fixture says so")
    config.addinivalue_line("markers", "postgresql_only: of several machines, which SQLite cannot have")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With PostgreSQL, what has nothing to do with a database is not run a second time."""
    config.stash[FOUND] = list(items)
    engine = config.getoption("engine")
    chosen = {item: engine in engines_of(item) for item in items}
    config.hook.pytest_deselected(items=[item for item in items if not chosen[item]])
    items[:] = [item for item in items if chosen[item]]


def engines_of(item: pytest.Item) -> set[str]:
    """On which engines the test is run."""
    if item.get_closest_marker("postgresql_only"):
        return {"postgresql"}
    return {"sqlite", "postgresql"} if concerns_the_database(item) else {"sqlite"}


def concerns_the_database(item: pytest.Item) -> bool:
    """Whether a test touches the database, by mark or by fixture."""
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("both_engines")
    return bool(marked) or bool(fixtures & {"db", "transactional_db", "live_server"})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test proves nothing, so it fails the run; nothing here has a reason to skip."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
