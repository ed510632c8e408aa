"""The broker without a server: whole files, each read once, in order, by many processes at a time."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from portal.broker import Channel
from portal.celery import app

WRITERS, READERS, EACH = 2, 2, 300


def connect(folder: Path) -> Any:
    assert app  # importing it makes `folder://` known
    return Connection("folder://localhost", transport_options={"folder": str(folder)})


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with connect(tmp_path) as connection:
        yield connection.channel()


def test_tasks_come_in_the_order_they_were_put(channel: Channel, tmp_path: Path) -> None:
    for number in range(5):
        channel._put("celery", {"number": number})
    assert channel._size("celery") == 5
    assert [channel._get("celery")["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Empty):
        channel._get("celery")


def test_queues_are_kept_apart_and_purged_apart(channel: Channel) -> None:
    channel._put("one", {"number": 1})
    channel._put("two", {"number": 2})
    assert channel._purge("one") == 1
    assert channel._size("two") == 1
    assert channel._get("two") == {"number": 2}


def test_a_file_that_lost_its_bytes_is_dropped_and_the_next_is_read(
    channel: Channel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0.celery.task").write_text('{"half": ')
    channel._put("celery", {"number": 1})
    assert channel._get("celery") == {"number": 1}
    assert "unreadable" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_draft_is_no_task_yet(channel: Channel, tmp_path: Path) -> None:
    (tmp_path / "0.draft").write_text("{}")
    assert channel._size("celery") == 0


def put_many(folder: Path, writer: int) -> None:
    with connect(folder) as connection:
        channel = connection.channel()
        for number in range(EACH):
            channel._put("celery", {"writer": writer, "number": number, "padding": "x" * 2000})


def get_until(folder: Path, stop: Any, found: "Queue[list[tuple[int, int]]]") -> None:
    read = []
    with connect(folder) as connection:
        channel = connection.channel()
        # Looked at before the folder: what was written before the stop is found after it.
        stopped = False
        while True:
            try:
                message = channel._get("celery")
                read.append((message["writer"], message["number"]))
            except Empty:
                if stopped:
                    break
                stopped = stop.is_set()
    found.put(read)


def test_many_processes_read_every_task_exactly_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    stop, found = spawn.Event(), spawn.Queue()
    readers = [spawn.Process(target=get_until, args=(tmp_path, stop, found)) for _ in range(READERS)]
    writers = [spawn.Process(target=put_many, args=(tmp_path, writer)) for writer in range(WRITERS)]
    for process in [*readers, *writers]:
        process.start()
    for process in writers:
        process.join(timeout=120)
    stop.set()
    read = [task for _ in readers for task in found.get(timeout=120)]
    for process in readers:
        process.join(timeout=120)
    assert sorted(read) == sorted((writer, number) for writer in range(WRITERS) for number in range(EACH))
    assert [process.exitcode for process in [*readers, *writers]] == [0] * (READERS + WRITERS)
