"""A portal to be measured: all its processes, in a folder that is gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.stack import Portal


@contextmanager
def started(environment: dict[str, str]) -> Iterator[Portal]:
    """As `make run` starts it, with these variables; embedded, unless they say otherwise."""
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-") as folder,
        Portal(Path(folder), environment) as portal,
    ):
        portal.start()
        yield portal
