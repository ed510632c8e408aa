"""What makes a fresh clone a running portal: the port, the tables, the administrator, and what apps add."""

import secrets
import socket
from collections.abc import Iterator

from django.conf import settings
from django.core.management import call_command
from django.utils.module_loading import import_string

from portal.models import User
from portal.registry import FIRST_RUN, PAGES
from portal.settings import environment

ADMINISTRATOR = "admin"
#: Without letters and digits that look alike.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class CannotStart(Exception):
    """The portal cannot start; the text names the remedy."""


def run() -> Iterator[str]:
    """Does everything that is still to be done, and yields what a person should read. Raises CannotStart."""
    refuse_taken_port()
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    yield from make_administrator()
    for step in FIRST_RUN:
        line = import_string(step)()
        if line:
            yield line
    yield from addresses()


def refuse_taken_port() -> None:
    """Raises CannotStart when somebody else listens at our port."""
    with socket.socket() as probe:
        # As gunicorn does: a port that a former portal has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.PORT))
        except OSError:
            another = settings.PORT + 1 if settings.PORT < 65535 else 8001
            sentence = f"Port {settings.PORT} cannot be used: choose another with PORT={another} make run"
            raise CannotStart(sentence) from None


def make_administrator() -> Iterator[str]:
    """The first user. The password is kept as a hash only, so it is printed this once."""
    if User.objects.exists():
        return
    given = environment.text("PORTAL_ADMIN_PASSWORD")
    password = given or readable_password()
    User.objects.create_superuser(ADMINISTRATOR, password=password)
    told = "with the password of PORTAL_ADMIN_PASSWORD" if given else f"with the password {password} (shown only now)"
    yield f"Sign in as {ADMINISTRATOR} {told}"


def readable_password() -> str:
    """Four groups of four: 79 bits."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def addresses() -> Iterator[str]:
    """Where the portal will be, once the web has started."""
    for name, path in PAGES.items():
        yield f"{name}: http://127.0.0.1:{settings.PORT}{path}"
