"""Settings never stop on a bad value: it is noted for the checks, which refuse it with a remedy."""

import os
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from portal.environment import (
    Environment,
    flag,
    known_region,
    known_time_zone,
    mail_address,
    mail_server,
    networks,
    one_of,
    redis_url,
    web_address,
    whole_number,
    words,
)
from portal.settings import environment
from tests.engine import REPOSITORY, is_assignment, variables

#: What people and scripts put into variables by mistake.
GARBAGE = (
    " ", "garbage", "$PORT", "$$", "-1", "0", "99999999999999999999", "1.5", "\x01", "'", "Россия", "a" * 5000, "../..",
    "/dev/null/x", "http://[::1", "postgres://", "postgres://u:p@h:port/db", "redis://", "redis://h:port", "*", ",,,",
    "Europe", "true", "\udcff",
)  # fmt: skip

#: Run in a process of its own, in a folder where a state folder named `../..` does no harm.
READ_EACH = """
import os, sys
from importlib import import_module, reload
sys.path.insert(0, {repository!r})
settings = import_module("portal.settings")
tried = 0
for variable, value in {cases!r}:
    former, os.environ[variable] = os.environ[variable], value
    try:
        reload(settings)
    except Exception as error:
        print(variable, ascii(value[:40]), type(error).__name__)
    os.environ[variable] = former
    tried += 1
print("tried", tried)
"""

PRINT_ALL = """
from portal import settings
for name in sorted(vars(settings)):
    if name.isupper():
        print(name, repr(getattr(settings, name)))
"""


def run(script: str, folder: Path, **changes: str) -> str:
    environment = os.environ | dict.fromkeys(variables(), "") | changes
    # By standard input: an argument of a command may not be that long.
    done = subprocess.run(
        [sys.executable, "-"], input=script, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_value_of_any_variable_stops_the_settings(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    cases = [(name, value) for name in variables() for value in GARBAGE]
    script = READ_EACH.format(repository=str(REPOSITORY), cases=cases)
    assert run(script, folder, PORTAL_VAR=str(tmp_path / "var")) == f"tried {len(cases)}\n"


def test_every_variable_that_is_read_is_documented() -> None:
    # The first run reads the password, and nobody else does.
    assert environment.asked | {"PORTAL_ADMIN_PASSWORD"} == set(variables())


def test_the_documented_defaults_are_those_of_the_settings(tmp_path: Path) -> None:
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    documented = dict(line.lstrip("# ").split("=", 1) for line in lines if is_assignment(line))
    assert documented.pop("PORTAL_VAR") == "var"
    state_folder = str(tmp_path / "var")
    as_documented = run(PRINT_ALL, REPOSITORY, **documented, PORTAL_VAR=state_folder)
    assert "MAX_SEGMENTS 10" in as_documented
    assert as_documented == run(PRINT_ALL, REPOSITORY, PORTAL_VAR=state_folder)


@pytest.fixture
def empty() -> Environment:
    return Environment(environ.Env())


def test_an_unusable_value_is_noted_with_its_remedy_and_the_default_stands_in(
    empty: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    assert empty.read("PORT", whole_number(1, 65535), 8000, "Give a port.") == 8000
    assert empty.problems == {"PORT": "Give a port."}


def test_a_value_with_a_dollar_in_front_is_taken_as_it_stands(
    empty: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "$HOME")
    assert empty.text("SECRET_KEY") == "$HOME"


def test_flags_are_read_in_their_usual_spellings() -> None:
    assert [flag(word) for word in ("true", "YES", "1", "on")] == [True] * 4
    assert [flag(word) for word in ("false", "No", "0", "off")] == [False] * 4
    with pytest.raises(ValueError, match="perhaps"):
        flag("perhaps")


def test_lists_numbers_and_choices() -> None:
    assert words(" a, b,,c ") == ["a", "b", "c"]
    assert whole_number(1, 5)("5") == 5
    assert one_of("ru", "en")("en") == "en"
    for cast, raw in ((whole_number(1, 5), "6"), (whole_number(1, 5), "five"), (one_of("ru"), "RU")):
        with pytest.raises(ValueError, match=r"."):
            cast(raw)


@pytest.mark.parametrize("raw", ["Europe", "Nowhere/Town", "../etc/passwd", "/etc/passwd"])
def test_a_zone_must_be_known(raw: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        known_time_zone(raw)


def test_a_region_is_known_in_any_spelling_of_its_letters() -> None:
    assert known_region("ru") == "RU"
    with pytest.raises(ValueError, match="XX"):
        known_region("XX")


@pytest.mark.parametrize(
    "raw",
    [
        "mail.example.org",
        "http://host",
        "smtp://",
        "smtp://host:port",
        "consolemail://",
        "filemail:///tmp",
        "imap://host",
    ],
)
def test_a_mail_server_needs_its_scheme_a_host_and_a_real_port(raw: str) -> None:
    with pytest.raises((ValueError, environ.ImproperlyConfigured)):
        mail_server(environ.Env().email_url_config(raw))


@pytest.mark.parametrize(
    ("raw", "port", "secured"),
    [
        ("smtp://host", 25, (None, None)),
        ("smtp+tls://user:p%40ss@host", 587, (True, None)),
        ("smtp+ssl://user:p%40ss@host", 465, (None, True)),
        ("smtp+tls://user:p%40ss@host:2525", 2525, (True, None)),
    ],
)
def test_a_mail_server_has_the_usual_port_of_its_kind(raw: str, port: int, secured: tuple[bool, bool]) -> None:
    read = mail_server(environ.Env().email_url_config(raw))
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("host", port)
    assert (read.get("EMAIL_USE_TLS"), read.get("EMAIL_USE_SSL")) == secured
    assert read["EMAIL_HOST_PASSWORD"] in {None, "p@ss"}


@pytest.mark.parametrize("raw", ["portal", "@host", "a b@host", "Wi-Fi <portal>", "a@b@c", "a@host\nBcc: b@host"])
def test_whom_mail_comes_from_is_an_address(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mail_address(raw)
    assert mail_address("Guest Wi-Fi <portal@example.org>") == "Guest Wi-Fi <portal@example.org>"


@pytest.mark.parametrize("raw", ["http://host", "redis://", "redis://host:port", "host:6379", "redis://host:99999"])
def test_a_redis_address_needs_its_scheme_a_host_and_a_real_port(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        redis_url(raw)
    assert redis_url("rediss://:secret@host:6379/0") == "rediss://:secret@host:6379/0"


@pytest.mark.parametrize(
    "raw",
    [
        "sms.example.org",
        "ftp://sms.example.org",
        "https://",
        "https://host:99999",
        "https://host/?a=b",
        "https://host/#a",
    ],
)
def test_the_portals_own_address_is_one_of_the_web(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        web_address(raw)


def test_the_portals_own_address_has_no_slash_at_its_end() -> None:
    assert web_address("https://sms.example.org:8443/portal/") == "https://sms.example.org:8443/portal"


def test_networks_are_listed_with_commas() -> None:
    listed = networks("192.168.10.0/24, 10.0.0.5,fd12::/16")
    assert [str(network) for network in listed] == ["192.168.10.0/24", "10.0.0.5/32", "fd12::/16"]


@pytest.mark.parametrize(
    "raw", ["192.168.10.5/24", "10.0.0.0/33", "lan", "10.0.0.0/8 192.168.0.0/16", "10.0.0.0-10.0.0.9"]
)
def test_a_network_must_be_one(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        networks(raw)
