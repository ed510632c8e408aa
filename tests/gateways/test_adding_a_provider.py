"""`docs/adding-a-provider.md`, followed literally: its two files, put where it says, are a provider that is tested."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.engine import REPOSITORY, variables

DOCUMENT = REPOSITORY / "docs" / "adding-a-provider.md"
#: A line with nothing but a path, and the block below it.
FILE = re.compile(r"^`(gateways/providers/[^`\s]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A repository as it is cloned, without what is made in it later.
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", ".env", "__pycache__", ".*_cache", ".hypothesis")
LEAST_TESTS = 20

#: Slips that are easily made: what is written, and what should have been.
SLIPS = {
    "a failing server is taken for a yes": ("in {200, 201} and", "in {200, 201, 500} and"),
    "unsigned calls are believed": ("if not signs_moment_and_body", "if given and not signs_moment_and_body"),
    "blanks of a text are lost": ('"text": sms.text}', '"text": sms.text.strip()}'),
}


@pytest.fixture
def sample() -> dict[str, str]:
    """The files in the document, by their paths."""
    return dict(FILE.findall(DOCUMENT.read_text("utf-8")))


@pytest.fixture
def name(sample: Mapping[str, str]) -> str:
    """What the sample is called."""
    return next(Path(path).stem for path in sample if path.endswith(".py"))


@pytest.fixture
def repository(sample: Mapping[str, str], tmp_path: Path) -> Path:
    """A copy of this repository to which nothing but the sample's files was added."""
    copy = tmp_path / "portal"
    shutil.copytree(REPOSITORY, copy, ignore=NOT_COPIED)
    for path, text in sample.items():
        assert not (copy / path).exists()
        (copy / path).write_text(text, "utf-8")
    return copy


def run(repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A Python program in the copy, as from a fresh shell there."""
    ours = ("PYTEST_", "PORTAL_TEST_")
    environment = {
        key: value for key, value in os.environ.items() if key not in variables() and not key.startswith(ours)
    }
    environment["PORTAL_VAR"] = str(repository / "var")
    return subprocess.run(
        [sys.executable, *command], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )


def run_contract(repository: Path, name: str) -> subprocess.CompletedProcess[str]:
    """The contract's tests of this provider, by the command in the document."""
    return run(
        repository, "-m", "pytest", "tests/gateways/test_provider_contract.py", "-k", name, "-p", "no:cacheprovider"
    )


def count(outcome: str, output: str) -> int:
    found = re.search(rf"(\d+) {outcome}", output.splitlines()[-1])
    return int(found[1]) if found else 0


def test_the_sample_is_one_file_and_its_recorded_exchanges(sample: Mapping[str, str], name: str) -> None:
    assert set(sample) == {f"gateways/providers/{name}.py", f"gateways/providers/examples/{name}.json"}


def test_the_contract_holds_the_sample_with_no_other_change(repository: Path, name: str) -> None:
    done = run_contract(repository, name)

    assert done.returncode == 0, done.stdout
    assert count("passed", done.stdout) > LEAST_TESTS


@pytest.mark.parametrize("slip", SLIPS)
def test_the_contract_finds_a_slip_in_the_sample(repository: Path, name: str, slip: str) -> None:
    path, (right, wrong) = repository / f"gateways/providers/{name}.py", SLIPS[slip]
    written = path.read_text("utf-8")
    assert written.count(right) == 1
    path.write_text(written.replace(right, wrong), "utf-8")

    done = run_contract(repository, name)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert count("failed", done.stdout) > 0
    assert count("passed", done.stdout) > LEAST_TESTS


def test_a_provider_without_recorded_exchanges_is_not_let_through(repository: Path, name: str) -> None:
    (repository / f"gateways/providers/examples/{name}.json").unlink()

    assert run_contract(repository, name).returncode == pytest.ExitCode.TESTS_FAILED


def test_a_new_provider_needs_no_migration(repository: Path) -> None:
    done = run(repository, "manage.py", "makemigrations", "--check", "--dry-run")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_is_written_as_the_repository_is(repository: Path, name: str) -> None:
    path = f"gateways/providers/{name}.py"
    for command in (("check",), ("format", "--check")):
        done = run(repository, "-m", "ruff", *command, "--no-cache", path)
        assert done.returncode == 0, done.stdout
