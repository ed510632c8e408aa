"""Totals that several processes add to."""

import json
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from portal import counting
from portal.models import RunningTotal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


def totals() -> dict[tuple[str, str], float]:
    return {(row.name, row.labels): row.value for row in RunningTotal.objects.all()}


def test_what_processes_count_adds_up() -> None:
    counting.add("calls", gateway=1)
    counting.add("calls", gateway=1)
    counting.add("calls", 5, gateway=2)
    counting.flush()
    counting.add("calls", gateway=1)
    counting.flush()
    counting.flush()
    assert totals() == {("calls", '{"gateway": "1"}'): 3, ("calls", '{"gateway": "2"}'): 5}


def test_the_order_of_labels_makes_no_difference() -> None:
    counting.add("calls", a=1, b=2)
    counting.add("calls", b=2, a=1)
    counting.flush()
    assert list(totals().values()) == [2]


def test_a_value_is_counted_under_the_bound_that_holds_it() -> None:
    for value in (0.5, 1, 7, 99):
        counting.observe("size", value, (1, 10), gateway=1)
    counting.flush()
    buckets = {json.loads(labels)["le"]: value for (name, labels), value in totals().items() if name == "size_bucket"}
    assert buckets == {"1": 2, "10": 1, "inf": 1}
    assert totals()["size_sum", '{"gateway": "1"}'] == 107.5


def test_counts_wait_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    counting.add("calls")

    def away() -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr("portal.counting.connection.cursor", away)
        counting.flush()
    assert not totals()
    counting.add("calls")
    counting.flush()
    assert list(totals().values()) == [2]


def test_a_process_adds_the_rest_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []
    monkeypatch.setattr(counting._Flusher, "_flush", staticmethod(lambda: flushed.append(True)))
    counting.start()
    counting.start()
    assert len(counting._flushers) == 1
    counting.stop()
    counting.stop()
    assert flushed == [True]
