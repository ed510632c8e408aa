"""A running portal on whatever engine the run has: one for each file, started again where a test ended it."""

from collections.abc import Iterator

import pytest

from tests.services.stack import Portal, own_servers


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal that was never started; whatever still runs of it at the end is killed."""
    with own_servers(worker_id) as servers, Portal(tmp_path_factory.mktemp("portal"), servers) as portal:
        yield portal


@pytest.fixture
def portal(installation: Portal) -> Portal:
    """The file's portal: running, ready, and the administrator signed in."""
    if not installation.is_running():
        installation.start()
    installation.login()
    return installation
