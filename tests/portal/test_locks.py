"""The lock files are what pyproject.toml asks for; asked of the files alone, without any network."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.engine import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
RUN = PROJECT["dependencies"]
DEVELOPMENT = [*RUN, *PROJECT["optional-dependencies"]["dev"]]
INSTALLER = PROJECT["optional-dependencies"]["installer"]


def locked(name: str) -> dict[str, str]:
    text = (REPOSITORY / name).read_text()
    return {
        canonicalize_name(found[1]): found[2] for found in re.finditer(r"^([\w.\[\]-]+)==([^\s;]+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("requirements.lock", RUN),
        ("requirements-dev.lock", DEVELOPMENT),
        ("requirements-installer.lock", INSTALLER),
    ],
)
def test_every_requirement_is_locked_at_a_version_it_allows(name: str, asked: list[str]) -> None:
    versions = locked(name)
    for requirement in map(Requirement, asked):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, f"{name}: make lock"


def test_development_uses_what_runs() -> None:
    running, developing = locked("requirements.lock"), locked("requirements-dev.lock")
    assert len(running) > 20
    assert running.items() <= developing.items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-installer.lock"])
def test_locks_have_hashes_and_name_no_host_and_no_machine(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    assert text.count("==") <= text.count("--hash=sha256:")
    assert not re.search(r"https?://|file:|index-url|find-links|/home/|/root/|/work/", text)
