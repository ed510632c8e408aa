"""The broker without a server: a folder with a file per task, named in the order they came.

Kombu's own filesystem transport writes a task in place, where a worker may read half of it and stop, and keeps every
task it has read. Here a file appears whole or not at all, and is gone once read. Direct queues only, as we use them.
"""

import json
import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual

logger = logging.getLogger(__name__)

SUFFIX = ".task"
DRAFT = ".draft"
#: A draft this many seconds old belongs to a process that was killed while it wrote.
OLD_DRAFT = 60


class Channel(virtual.Channel):
    """Tasks as files `<nanoseconds>-<random>.<queue>.task` in the folder that the transport options name."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._listed: list[str] = []

    @property
    def folder(self) -> Path:
        """Where the files are; `state.prepare` makes it."""
        connection: Any = self.connection.client
        return Path(connection.transport_options["folder"])

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        draft = self.folder / f"{name}{DRAFT}"
        draft.write_text(json.dumps(message))
        draft.rename(self.folder / f"{name}.{queue}{SUFFIX}")

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        if not self._listed:
            self._listed = self._waiting(queue)
        while self._listed:
            message = self._take(self._listed.pop())
            if message is not None:
                return message
        raise Empty

    def _take(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        try:
            text = path.read_text()
            # Whoever removes the file has the task; another worker may have been faster.
            path.unlink()
            message: dict[str, Any] = json.loads(text)
        except FileNotFoundError:
            return None
        except ValueError:
            # Power was lost before the bytes were on disk: a bell is gone, and the sweep makes up for it.
            logger.warning("an unreadable task was dropped from the queue")
            return None
        return message

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        names = self._waiting(queue)
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
        return len(names)

    def _waiting(self, queue: str) -> list[str]:
        """The newest first, so that `pop` takes the oldest."""
        ending = f".{queue}{SUFFIX}"
        return sorted((name for name in os.listdir(self.folder) if name.endswith(ending)), reverse=True)  # noqa: PTH208 — listed every 50 ms, as plain names


class Transport(virtual.Transport):
    """What Celery's broker address calls `folder://`."""

    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"

    def driver_version(self) -> str:
        return "1"


def drop_old_drafts(folder: Path) -> int:
    """Removes what killed processes left half-written; returns how many files there were."""
    oldest = time.time() - OLD_DRAFT
    old = [draft for draft in folder.glob(f"*{DRAFT}") if _written(draft) < oldest]
    for draft in old:
        draft.unlink(missing_ok=True)
    return len(old)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has just become a task
        return time.time()
