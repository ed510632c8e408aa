"""Who may be chosen by name on the page *Write*: lists of people that apps above hand down, for messaging knows phones.

    recipients.DIRECTORIES.append("guests.directory.search")

A directory is a function `search(query, user)` that gives the people whom this user may write to and who fit best, at
most SHOWN of them; a query that is somebody's whole pid brings that one first.
"""

from collections.abc import Callable
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


def search(query: str, user: Any) -> list[Person]:
    """The people that may be meant."""
    if not query.strip():
        return []
    found = [Person(*one) for name in DIRECTORIES for one in import_string(name)(query.strip(), user)]
    return found[:SHOWN]


def named(pid: str, user: Any) -> Person | None:
    """The one with this pid, if the user may write to them."""
    return next((person for person in search(pid, user) if person.pid == pid), None)
