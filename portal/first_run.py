"""What makes a fresh clone a running portal: the port, the tables, the administrator, and what apps add."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError
from django.utils import translation
from django.utils.module_loading import import_string

from portal import web
from portal.models import User
from portal.passwords import readable_password
from portal.registry import FIRST_RUN, PAGES
from portal.settings import environment

ADMINISTRATOR = "admin"


class CannotStart(Exception):
    """The portal cannot start; the text names the remedy."""


def run() -> Iterator[str]:
    """Does everything that is still to be done, and yields what a person should read. Raises CannotStart."""
    refuse_taken_port()
    make_tables()
    yield from make_administrator()
    for step in FIRST_RUN:
        line = import_string(step)()
        if line:
            yield line
    yield from addresses()


def refuse_taken_port() -> None:
    """Raises CannotStart when somebody else listens at our port."""
    family = socket.AF_INET6 if ":" in settings.BIND else socket.AF_INET
    with socket.socket(family) as probe:
        # As gunicorn does: a port that a former portal has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.BIND, settings.PORT))
        except OSError:
            another = settings.PORT + 1 if settings.PORT < 65535 else 8001
            sentence = f"Port {settings.PORT} cannot be used: choose another with PORT={another} make run"
            raise CannotStart(sentence) from None


def make_tables() -> None:
    """Brings the database up to date. Raises CannotStart where it does not answer."""
    try:
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    except OperationalError:
        # The error's own text is left out: it may quote the address.
        where = "of DATABASE_URL " if settings.PRODUCTION else ""
        remedy = "start it or correct the address" if settings.PRODUCTION else "look at the folder of PORTAL_VAR"
        raise CannotStart(f"The database {where}does not answer: {remedy}") from None


def make_administrator() -> Iterator[str]:
    """The first user. The password is kept as a hash only, so it is printed this once.

    Raises CannotStart for a given password that is easily guessed.
    """
    if User.objects.exists():
        return
    given = environment.text("PORTAL_ADMIN_PASSWORD")
    refuse_weak_password(given)
    password = given or readable_password()
    User.objects.create_superuser(ADMINISTRATOR, password=password)
    told = "with the password of PORTAL_ADMIN_PASSWORD" if given else f"with the password {password} (shown only now)"
    yield f"Sign in as {ADMINISTRATOR} {told}"


def refuse_weak_password(given: str) -> None:
    """By the rules that hold for everybody's password; none given is fine, because we make one."""
    try:
        if given:
            validate_password(given, User(username=ADMINISTRATOR))
    except ValidationError as weak:
        with translation.override("en"):
            reasons = " ".join(weak.messages)
        sentence = f"PORTAL_ADMIN_PASSWORD is too weak: choose a better one, or leave it out to get one. {reasons}"
        raise CannotStart(sentence) from None


def addresses() -> Iterator[str]:
    """Where the portal will be, once the web has started."""
    host = "127.0.0.1" if ip_address(settings.BIND).is_unspecified else web.bind.rpartition(":")[0]
    for name, path in PAGES.items():
        yield f"{name}: http://{host}:{settings.PORT}{path}"
