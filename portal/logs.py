"""The log, and what is kept out of it."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from django.db import Error

#: Providers call us at addresses that let them in; and so do the links in messages to guests and to sponsors.
SECRET = re.compile(r"(/callbacks/+[^/\s]+/+|/guest/+approve/+|(?:^|(?<=\s))/+[rx]/+)[^/\s?&]+", re.IGNORECASE)
#: What follows the path of an address: to the end of a request's first line, because programs forget to write blanks as
#: %20; else to the next blank.
#: Looked for where a word begins and not at each of its slashes, of which a stranger may send thousands.
QUERY = re.compile(r"(?<![^\s?'\"])(?=[^\s?'\"]*/)([^\s?'\"]++)\?(?:.*(?= HTTP/\d|\" \d{3} )|\S*)")
#: A request that a server cannot read. What it quotes may be any part of it, and hold anything.
UNREADABLE = re.compile(r"((?:Invalid request from ip=|code 400, message )[^'\"]*)['\"].*", re.DOTALL)
#: What a database quotes is a value, unless it reads like the name of a table or a rule.
QUOTED, NAME = re.compile('"[^"]*"'), re.compile(r'"\w*_\w*"')


class WithoutCallbackKeys(logging.Filter):
    """Django logs the path of each request that it refuses or fails; some paths hold what lets somebody in."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if SECRET.search(line):
            record.msg, record.args = SECRET.sub(r"\1…", line), ()
        return True


class WithoutQueries(logging.Filter):
    """The same, and a query may hold a key, a password, or a text to a guest."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        kept = without_query(line)
        if kept != line:
            record.msg, record.args = kept, ()
        return True


def without_query(text: str) -> str:
    """The text, with every address in it only as far as its path, and that without what lets somebody in."""
    return SECRET.sub(r"\1…", QUERY.sub(r"\1", UNREADABLE.sub(r"\1…", text)))


class WithoutRows(logging.Formatter):
    """Of an error of the database only the first line: PostgreSQL goes on with the row that it could not write."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for error in _behind(record.exc_info[1] if record.exc_info else None):
            said = str(error)
            kept = QUOTED.sub(_name_or_nothing, said.partition("\n")[0])
            line = line.replace(repr(error), f"{type(error).__name__}({kept!r})").replace(said, kept)
        return line


def _name_or_nothing(quoted: re.Match[str]) -> str:
    return quoted[0] if NAME.fullmatch(quoted[0]) else '"…"'


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """Those errors in the chain that a database has said."""
    said_by_database, seen = False, set[int]()
    # An error may be named as its own cause; Python stops there too.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said_by_database = isinstance(error, Error) or said_by_database
        if said_by_database and str(error):
            yield error
        error = error.__cause__ or error.__context__


def configuration(level: str) -> dict[str, Any]:
    """What Python's logging is told: lines at the console from this level on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"class": "portal.logs.WithoutRows", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
        },
        "filters": {
            "callback_keys": {"()": "portal.logs.WithoutCallbackKeys"},
            "queries": {"()": "portal.logs.WithoutQueries"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {
            "handlers": ["console"],
            "level": level,
        },
        "loggers": {
            "django.request": {"filters": ["callback_keys"]},
            "django.security.csrf": {"filters": ["callback_keys"]},
            # A line for each call, where `runserver` serves.
            "django.server": {"handlers": ["console"], "filters": ["queries"], "propagate": False},
            # aiohttp and Kombu print whole requests and task arguments below this level.
            "aiohttp": {"level": "WARNING"},
            "kombu": {"level": "INFO"},
            # So do these, with the tokens that they give out.
            "oauthlib": {"level": "INFO"},
            "oauth2_provider": {"level": "INFO"},
            # Two lines for every task, and the sweep is one every second.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            # A line, or a whole traceback, for whatever strangers send to the captcha.
            "django_altcha": {"level": "CRITICAL"},
        },
    }
