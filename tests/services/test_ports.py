"""The ports that servers of the tests get: never one that somebody else may have been given."""

from itertools import combinations

import pytest

from tests import servers

#: All that runs at once: who starts the workers, and four of them.
TOGETHER = [None, "gw0", "gw1", "gw2", "gw3"]
#: So many ports in all that each of them has some; nobody draws these in earnest.
FEW = range(19_000, 19_400)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "NEVER_GIVEN", FEW)


def given_to(worker: str | None, monkeypatch: pytest.MonkeyPatch, times: int = 25) -> list[int]:
    """What one process gets that asks so often."""
    monkeypatch.setattr(servers, "_had", set())
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    return [servers.free_port() for _time in range(times)]


@pytest.mark.parametrize("worker", TOGETHER)
def test_no_process_gets_one_twice(worker: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    given = given_to(worker, monkeypatch)
    assert len(set(given)) == len(given)
    assert set(given) <= set(FEW)


def test_nor_do_two_processes_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [set(given_to(worker, monkeypatch)) for worker in TOGETHER]
    assert not any(one & other for one, other in combinations(given, 2))
