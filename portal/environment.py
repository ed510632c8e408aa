"""Reading the environment without stopping at the first bad value: what cannot be used is noted for the checks."""

import re
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
import phonenumbers

T = TypeVar("T")


class Environment:
    """The process environment and `.env`; `problems` maps a variable's name to the remedy an administrator reads."""

    def __init__(self, env: environ.Env) -> None:
        self.env = env
        self.problems: dict[str, str] = {}
        #: Every variable that was read; `.env.example` must explain it.
        self.asked: set[str] = set()

    def text(self, name: str) -> str:
        """The variable as it stands, empty where it is unset.

        Not through django-environ's own reading: that takes a value with a dollar in front for another's name.
        """
        self.asked.add(name)
        return str(self.env.ENVIRON.get(name, "")).strip()

    def still_sets(self, name: str) -> bool:
        """Whether a variable that is read no more is given all the same."""
        return bool(str(self.env.ENVIRON.get(name, "")).strip())

    def read(self, name: str, cast: Callable[[str], T], default: T, remedy: str) -> T:
        """The variable as `cast` understands it; an unusable value is noted and the default stands in."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            return cast(raw)
        except (ValueError, KeyError, environ.ImproperlyConfigured):
            self.problems[name] = remedy
            return default


def flag(raw: str) -> bool:
    """`true`/`false` in their usual spellings. Raises ValueError for anything else."""
    word = raw.lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError(word)


def words(raw: str) -> list[str]:
    """A comma-separated list without blanks."""
    return [word.strip() for word in raw.split(",") if word.strip()]


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of whole numbers between both bounds."""

    def cast(raw: str) -> int:
        number = int(raw)
        if not lowest <= number <= highest:
            raise ValueError(number)
        return number

    return cast


def long_word(least: int) -> Callable[[str], str]:
    """A reader of secrets that nobody guesses, and that a header can carry."""

    def cast(raw: str) -> str:
        if len(raw) < least or not raw.isascii() or any(character.isspace() for character in raw):
            raise ValueError("too short, or not one word")
        return raw

    return cast


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader that takes one of the choices only."""

    def cast(raw: str) -> str:
        if raw not in choices:
            raise ValueError(raw)
        return raw

    return cast


def some_of(*choices: str) -> Callable[[str], list[str]]:
    """A reader of a comma-separated list of choices, which it puts in their order; `none` stands for an empty one."""

    def cast(raw: str) -> list[str]:
        named = set(words(raw)) - {"none"}
        if not named <= set(choices):
            raise ValueError(raw)
        return [choice for choice in choices if choice in named]

    return cast


def known_time_zone(raw: str) -> str:
    """A zone of the tz database. Raises ValueError or KeyError."""
    try:
        return ZoneInfo(raw).key
    except OSError as error:  # the name of a folder, such as `Europe`
        raise ValueError(raw) from error


def known_region(raw: str) -> str:
    """A country whose phone numbers are known, as two letters. Raises ValueError."""
    region = raw.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(raw)
    return region


def networks(raw: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks such as 10.0.0.0/8. Raises ValueError."""
    return [ip_network(word) for word in words(raw)]


def listen_address(raw: str) -> str:
    """An IP address, to listen at. Raises ValueError for a name: it may stand for several."""
    return str(ip_address(raw))


def web_address(raw: str) -> str:
    """http(s)://host[:port][/path] without a slash at its end. Raises ValueError."""
    parts = urlsplit(raw)
    parts.port  # noqa: B018 — reading it raises ValueError for a port that is none
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(raw)
    return raw.rstrip("/")


#: Of a mail server, unless another one is given.
MAIL_PORT = 25
SECURED_MAIL_PORTS = {"EMAIL_USE_SSL": 465, "EMAIL_USE_TLS": 587}
MAIL_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


def mail_server(config: dict[str, Any]) -> dict[str, Any]:
    """What django-environ read, for a mail server. Raises ValueError for anything else, and without a host."""
    if not str(config["EMAIL_BACKEND"]).endswith("smtp.EmailBackend") or not config["EMAIL_HOST"]:
        raise ValueError("not a mail server")
    usual = next((port for name, port in SECURED_MAIL_PORTS.items() if config.get(name)), MAIL_PORT)
    return config | {"EMAIL_PORT": config["EMAIL_PORT"] or usual}


def mail_address(raw: str) -> str:
    """`name@host`, with or without somebody's name before it. Raises ValueError."""
    if not raw.isprintable() or not MAIL_ADDRESS.fullmatch(parseaddr(raw)[1]):
        raise ValueError(raw)
    return raw


def redis_url(raw: str) -> str:
    """The address of a Redis or Valkey server. Raises ValueError for another scheme or a missing host."""
    address = urlsplit(raw)
    address.port  # noqa: B018 — reading it raises ValueError for a port that is none
    if address.scheme not in {"redis", "rediss"} or not address.hostname:
        raise ValueError("not a Redis address")
    return raw
