"""P14: one suite and two engines: what touches a database is run on SQLite and on PostgreSQL; nothing is skipped.

What is looked at are the tests that this run has found, so in a run of a few files it says something of those only.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.engine import FOUND, REPOSITORY, engines_of

pytestmark = pytest.mark.both_engines

BOTH = {"sqlite", "postgresql"}
#: Modules that ask which database it is, and where both answers are held to the same.
ASK_WHICH = {
    "messaging/claiming.py": "tests/messaging/test_claiming.py",
    "messaging/finding.py": "tests/messaging/test_finding.py",
    "portal/api/commit.py": "tests/portal/test_api_idempotency.py",
    "portal/bulk/documents.py": "tests/portal/test_updating.py",
    "portal/clock.py": "tests/portal/test_clock.py",
    "portal/sqlite.py": "tests/portal/test_sqlite.py",
    "portal/statements.py": "tests/messaging/test_one_statement.py",
    "portal/system/servers.py": "tests/portal/test_system_page.py",
    "portal/bulk/together.py": "tests/messaging/test_one_statement.py",
    "portal/versions.py": "tests/portal/test_versions.py",
}
#: Tests of one engine alone, each with its reason.
ONE_ENGINE = {
    "tests/portal/test_idle_transactions.py": "SQLite has no sessions that it could end",
    "tests/services/test_several_machines.py": "SQLite is on one machine",
    "tests/services/test_under_fire.py": "PostgreSQL and Redis are crashed; a full disk is SQLite's",
}
#: What starts the portal's own processes.
PROCESSES = {"installation", "portal", "crew"}
#: Options of pytest that choose among the tests.
NARROWING = ("keyword", "markexpr", "deselect", "lf")
#: They see pages, which look the same; and Chromium takes its time.
BROWSER = "tests/browser/"


@pytest.fixture
def found(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """Every test that there is in this run, on whichever engine."""
    return request.config.stash[FOUND]


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def test_the_database_is_the_one_that_was_asked_for(request: pytest.FixtureRequest) -> None:
    assert connection.vendor == request.config.getoption("engine")


def test_this_run_has_every_test_of_its_engine(request: pytest.FixtureRequest, found: list[pytest.Item]) -> None:
    """Unless somebody who started it has chosen among them."""
    ours = {item.nodeid for item in found if request.config.getoption("engine") in engines_of(item)}
    run = {item.nodeid for item in request.session.items}
    narrowed = any(request.config.getoption(option) for option in NARROWING)
    assert run <= ours if narrowed else run == ours


def test_whatever_may_touch_the_database_is_run_on_both(found: list[pytest.Item]) -> None:
    """pytest-django lets a test near the database only where this fixture is asked to prepare it."""
    alone = {
        item.nodeid for item in found if file_of(item) not in ONE_ENGINE and touches(item) and engines_of(item) != BOTH
    }
    assert alone == set()


def touches(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    processes = PROCESSES & fixtures and not item.nodeid.startswith(BROWSER)
    return bool(processes) or "django_db_setup" in fixtures or bool(item.get_closest_marker("django_db"))


def test_the_exceptions_are_those_that_are_named(found: list[pytest.Item]) -> None:
    assert {file_of(item) for item in found if engines_of(item) == {"postgresql"}} <= set(ONE_ENGINE)


def test_every_module_that_asks_which_database_it_is_has_tests_on_both(found: list[pytest.Item]) -> None:
    asking = {str(path.relative_to(REPOSITORY)) for path, tree in sources() if asks(tree)}
    assert asking == set(ASK_WHICH)
    run = {file_of(item) for item in found}
    both = {file_of(item) for item in found if engines_of(item) == BOTH}
    assert {name for name in ASK_WHICH.values() if name in run} <= both
    assert all((REPOSITORY / name).is_file() for name in ASK_WHICH.values())


def asks(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "vendor" for node in ast.walk(tree))


def sources() -> Iterator[tuple[Path, ast.AST]]:
    """Every module of the portal, read."""
    for app in ("portal", "gateways", "messaging", "guests"):
        for path in (REPOSITORY / app).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text())


def test_nothing_is_skipped(found: list[pytest.Item]) -> None:
    """A run with a skipped test fails, too: `tests/engine.py` sees to that."""
    marks = ("skip", "skipif", "xfail")
    assert [item.nodeid for item in found if any(item.get_closest_marker(mark) for mark in marks)] == []
    skipping = {"skip", "importorskip", "xfail"}
    calls = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in (REPOSITORY / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in skipping
    ]
    assert calls == []
