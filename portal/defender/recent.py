"""Who was blocked a moment ago, so that an ordinary request asks the database once a second at most.

Each process has its own memory: what another one decides is known here within a second. Sign-ins themselves do not
look here.
"""

import time
from typing import NamedTuple

from portal.models import WatchedHost

#: Seconds for which an answer is good.
GOOD_FOR = 1.0
MOST_HOSTS = 1000


class Answer(NamedTuple):
    """The host's row where it was blocked, and until when by the process's clock that holds."""

    row: WatchedHost | None
    until: float


_answers: dict[str, Answer] = {}


def answer(host: str) -> Answer | None:
    """What was found out within the last second."""
    found = _answers.get(host)
    return found if found and found.until > time.monotonic() else None


def remember(host: str, row: WatchedHost | None) -> None:
    """Keeps what the database said."""
    if len(_answers) >= MOST_HOSTS:
        _answers.clear()
    _answers[host] = Answer(row, time.monotonic() + GOOD_FOR)


def forget() -> None:
    """The next request asks the database."""
    _answers.clear()
