"""Wrong settings are refused at start, each with an id and a remedy. No message repeats a value: it may be a secret."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from portal.encryption import SHORTEST_KEY
from portal.settings import environment
from portal.sign_in import origins, policy
from portal.state import FOR_OTHERS

SHORTEST_SECRET_KEY = 50
#: Gunicorn does not try again after this exit code.
REFUSED = 3
#: Variables of former releases, with what to do instead.
RETIRED = {
    "PROXY_COUNT": "Take it out, and list the networks of your proxies in TRUSTED_PROXIES, such as 127.0.0.1/32.",
}
NEW_KEY = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def unusable_values() -> Iterator[checks.Error]:
    """Variables that could not be read as what they should be."""
    for name, remedy in environment.problems.items():
        yield checks.Error(f"{name} cannot be used.", hint=remedy, id="portal.E001")


def secret_key() -> Iterator[checks.Error]:
    """Sessions are signed with it. The embedded set-up makes its own."""
    # Asked of the environment, because Django refuses to hand out an empty SECRET_KEY.
    key = environment.text("SECRET_KEY")
    if settings.PRODUCTION and not key:
        yield checks.Error("SECRET_KEY is missing.", hint=f"Set it; {NEW_KEY}", id="portal.E002")
    elif key and len(key) < SHORTEST_SECRET_KEY:
        remedy = f"Give {SHORTEST_SECRET_KEY} characters or more; {NEW_KEY}"
        yield checks.Error("SECRET_KEY is too short.", hint=remedy, id="portal.E002")


def encryption_keys() -> Iterator[checks.Error]:
    """Texts and gateway passwords are encrypted with them. The embedded set-up makes its own."""
    if settings.PRODUCTION and not settings.ENCRYPTION_KEYS:
        remedy = f"Set it and keep it as long as the database; {NEW_KEY}"
        yield checks.Error("ENCRYPTION_KEYS is missing.", hint=remedy, id="portal.E003")
    if settings.ENCRYPTION_KEYS == [""]:
        return  # our own could not be kept: the state folder is at fault, and its check says so
    for number, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        if len(key) < SHORTEST_KEY:
            remedy = f"Give {SHORTEST_KEY} characters or more; {NEW_KEY}"
            yield checks.Error(f"Key {number} of ENCRYPTION_KEYS is too short.", hint=remedy, id="portal.E003")


def allowed_hosts() -> Iterator[checks.Error]:
    """The names under which the portal answers in production."""
    if settings.PRODUCTION and (not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS):
        remedy = "List the names people type into the browser, such as portal.example.org,10.0.0.5."
        yield checks.Error("ALLOWED_HOSTS names no host.", hint=remedy, id="portal.E004")


def servers_come_together() -> Iterator[checks.Error]:
    """One set-up or the other: a half would mix the locks of one with the processes of the other."""
    given, other = ("DATABASE_URL", "REDIS_URL") if settings.DATABASE_URL else ("REDIS_URL", "DATABASE_URL")
    if settings.PRODUCTION and not environment.text(other):
        remedy = f"Set {other} as well, or leave both out to run without servers."
        yield checks.Error(f"{given} is set and {other} is missing.", hint=remedy, id="portal.E005")


def state_folder() -> Iterator[checks.Error]:
    """It holds keys and texts, so it must be ours alone."""
    folder: Path = settings.STATE_FOLDER
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        remedy = "Name a folder in PORTAL_VAR that this user can make or write to."
        yield checks.Error("The state folder cannot be written.", hint=remedy, id="portal.E006")
    elif folder.stat().st_mode & FOR_OTHERS:
        remedy = f"Close it to others: chmod 700 {folder}"
        yield checks.Error("Other users can look into the state folder.", hint=remedy, id="portal.E006")


def retired_variables() -> Iterator[checks.Error]:
    """What is read no more must not be taken for a protection."""
    for name, remedy in RETIRED.items():
        if environment.still_sets(name):
            yield checks.Error(f"{name} is read no more.", hint=remedy, id="portal.E007")


def second_factor() -> Iterator[checks.Warning]:
    """To do without one is for a portal that only its own machine can reach."""
    exposed = policy.can_be_reached(
        production=settings.PRODUCTION, proxies=len(settings.TRUSTED_PROXIES), addresses=[settings.BIND]
    )
    if settings.ADMIN_2FA == policy.OPTIONAL and exposed:
        remedy = "Leave ADMIN_2FA out, or set it to required, so that a password that was learnt opens nothing."
        yield checks.Warning("ADMIN_2FA=optional, and others can reach the admin.", hint=remedy, id="portal.W001")


def place_of_passkeys() -> Iterator[checks.Warning]:
    """Browsers keep passkeys for a host name over HTTPS, or for localhost."""
    if settings.PRODUCTION and not origins.origins():
        remedy = "Give the address under which people open the portal in PORTAL_URL, such as https://sms.example.org."
        yield checks.Warning("Nobody can use passkeys: no host name is known.", hint=remedy, id="portal.W002")


WARNINGS: tuple[Callable[[], Iterator[checks.Warning]], ...] = (second_factor, place_of_passkeys)

CHECKS: tuple[Callable[[], Iterator[checks.Error]], ...] = (
    unusable_values,
    secret_key,
    encryption_keys,
    allowed_hosts,
    servers_come_together,
    state_folder,
    retired_variables,
)


def errors() -> list[checks.Error]:
    """Everything that is wrong with the settings."""
    return [error for check in CHECKS for error in check()]


def warnings() -> list[checks.Warning]:
    """What works and should not stay so."""
    return [warning for check in WARNINGS for warning in check()]


def register_all() -> None:
    """Makes the checks part of every management command."""
    checks.register(_for_django)


def refuse_wrong_settings() -> None:
    """Stops the process when a check finds an error, with the remedies on standard error."""
    found = errors()
    for error in found or warnings():
        print(f"{error.id}: {error.msg} {error.hint}", file=sys.stderr, flush=True)
    if found:
        raise SystemExit(REFUSED)


def _for_django(**_: Any) -> list[checks.CheckMessage]:
    return [*errors(), *warnings()]
