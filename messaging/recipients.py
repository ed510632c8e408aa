"""Who may be chosen by name on the page *Write*: lists of people that apps above hand down, for messaging knows phones.

    recipients.DIRECTORIES.append("guests.directory.search")

A directory is a function `search(query, user)` that gives the people whom this user may write to and who fit best, at
most SHOWN of them; a query that is somebody's whole pid brings that one first. Whole lists of pids go to BY_PID.
"""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from django.utils.module_loading import import_string

#: How many a directory gives at the most.
SHOWN = 10


class Person(NamedTuple):
    """Somebody with a phone; `phone` is in E.164, or empty where there is none."""

    label: str
    pid: str
    phone: str


Directory = Callable[[str, Any], list[Person]]

#: Dotted names of directories, as `apps.py` of the apps above hand them down.
DIRECTORIES: list[str] = []
#: The same for functions `by_pid(pids, user)` that give those with these whole pids whom the user may write to.
BY_PID: list[str] = []
#: Functions that hear which messages were sent again, by their ids and within the same transaction.
RESENT: list[str] = []


def search(query: str, user: Any) -> list[Person]:
    """The people that may be meant."""
    if not query.strip():
        return []
    found = [Person(*one) for name in DIRECTORIES for one in import_string(name)(query.strip(), user)]
    return found[:SHOWN]


def named(pids: Collection[str], user: Any) -> dict[str, Person]:
    """Those with these pids, by pid, as far as the user may write to them; one question for all."""
    found = [Person(*one) for name in reversed(BY_PID) for one in import_string(name)(pids, user)]
    return {person.pid: person for person in found}


def tell_resent(messages: Collection[int]) -> None:
    """Tells the apps above that these messages were sent again."""
    for name in RESENT if messages else ():
        import_string(name)(messages)
