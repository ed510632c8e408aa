"""A guest's arrival: what the network passed, read and checked, and how it is kept from page to page."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.utils.datastructures import MultiValueDict

from guests.captive import reading
from guests.captive.dialects import BY_KEY, GENERIC, dialect_of
from guests.captive.logging_in import LogIn

_SITE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Arrival:
    """Every value is well formed or empty; none of them is proof of anything."""

    mac: str = ""
    ip: str = ""
    ssid: str = ""
    #: Its MAC.
    access_point: str = ""
    #: Where the guest wanted to go. Ask `forms.onward` before anybody is sent there.
    continue_url: str = ""
    #: A key of the table in `dialects`.
    dialect: str = GENERIC.key
    #: The site that UniFi names in the path.
    site: str = ""
    #: What the network wants to have back at the log-in.
    passed: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def login(self) -> LogIn | None:
        """How the browser logs in at the network; None where it cannot, or where something it needs was not passed."""
        log_in = BY_KEY[self.dialect].log_in
        found = log_in(self.passed) if log_in else None
        action_url = reading.url(found.action_url) if found else ""
        return replace(found, action_url=action_url) if found and action_url else None

    def as_json(self) -> dict[str, Any]:
        """For a field of JSON, a signed cookie or a form; whatever comes back is checked anew."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: object) -> "Arrival":
        """What was kept, of which nothing is believed. Anything else than such a record is an arrival without words."""
        record = kept if isinstance(kept, Mapping) else {}
        passed = record.get("passed")
        return _checked(
            {name: _text(record.get(name)) for name in ("mac", "ip", "ssid", "access_point", "continue_url", "site")},
            _text(record.get("dialect")),
            passed if isinstance(passed, Mapping) else {},
        )


def arrival_of(query: Mapping[str, str], path_site: str = "") -> Arrival:
    """What the network passed in the address of our page. A parameter given twice, in two ways, is as good as none."""
    given = {name: value for name in query if (value := _only(query, name))}
    dialect = dialect_of(given, path_site)
    words = {
        "mac": _first(given, dialect.mac, reading.mac),
        "ip": _first(given, dialect.ip, reading.ip),
        "ssid": _first(given, dialect.ssid, reading.ssid),
        "access_point": _first(given, dialect.access_point, reading.mac),
        "continue_url": _first(given, dialect.onward, _onward),
        "site": path_site,
    }
    return _checked(words, dialect.key, given)


def _checked(words: Mapping[str, str], key: str, passed: Mapping[Any, Any]) -> Arrival:
    """The one place where an arrival is made."""
    dialect = BY_KEY.get(key, GENERIC)
    kept = {name: reading.bounded(_text(passed.get(name))) for name in dialect.passed}
    return Arrival(
        mac=reading.mac(words["mac"]),
        ip=reading.ip(words["ip"]),
        ssid=reading.ssid(words["ssid"]),
        access_point=reading.mac(words["access_point"]),
        continue_url=reading.url(words["continue_url"]),
        dialect=dialect.key,
        site=words["site"] if _SITE.fullmatch(words["site"]) else "",
        passed={name: value for name, value in kept.items() if value},
    )


def _only(query: Mapping[str, str], name: str) -> str:
    """The value, unless there are several."""
    values = set(query.getlist(name)) if isinstance(query, MultiValueDict) else {query[name]}
    return _text(values.pop()) if len(values) == 1 else ""


def _first(given: Mapping[str, str], names: Iterable[str], read: Callable[[str], str]) -> str:
    return next((value for name in names if (value := read(given.get(name, "")))), "")


def _onward(text: str) -> str:
    """Cisco passes the address without its scheme."""
    bare = "/" in text and ":" not in text.partition("/")[0]
    return reading.url(f"http://{text}" if bare else text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
