"""Bells: they carry an id and no time, so that it does not matter by which clock a worker lives."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.conf import settings

from gateways import tasks as gateway_tasks
from gateways.models import Gateway
from messaging import bells, tasks


@pytest.fixture
def headers() -> Iterator[list[dict[str, Any]]]:
    """Those of every task that is published during the test."""
    seen: list[dict[str, Any]] = []

    def note(headers: dict[str, Any], **_: Any) -> None:
        seen.append(headers)

    before_task_publish.connect(note, weak=False)
    yield seen
    before_task_publish.disconnect(note)


def test_no_bell_expires_or_waits_for_a_time(headers: list[dict[str, Any]]) -> None:
    bells.ring(1)
    for task in (tasks.ask, tasks.fetch):
        bells.publish(task.name, 1)
    gateway_tasks.ask_balance.delay(1)
    assert [(one["expires"], one["eta"]) for one in headers] == [(None, None)] * 4


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_nor_does_what_beat_sends(name: str) -> None:
    assert set(settings.CELERY_BEAT_SCHEDULE[name]) == {"task", "schedule"}


@pytest.mark.django_db
def test_sweeps_that_wait_are_one(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def sweep_again() -> None:
        begun.append("a sweep")
        tasks.sweep()

    monkeypatch.setattr(tasks, "RINGING", (sweep_again,))
    tasks.sweep()
    assert len(begun) == 1
    tasks.sweep()
    assert len(begun) == 2
