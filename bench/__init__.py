"""What `make bench` runs: figures side by side in one run. Importing this sets up an embedded portal of its own.

Its state is a temporary folder, and the variables of a real portal are hidden from it. Not so in processes that the
table starts: those have an environment of their own, and a mark in it.
"""

import os
import tempfile

import django
from django.core.management import call_command

#: The mark.
STAGED = "BENCH_STAGE"

EMBEDDED = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS"), "")


def _embed() -> None:
    # The settings read the environment when they are imported, so it has to be ready by then.
    os.environ.update(EMBEDDED)
    os.environ.update(
        {
            "PORTAL_VAR": STATE_FOLDER.name,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_HTTPS": "false",
            "LOG_LEVEL": "ERROR",
            # The simulated provider is on this machine, which an ordinary portal would not call.
            "GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
    )
    django.setup()
    call_command("migrate", verbosity=0)


if STAGED not in os.environ:
    STATE_FOLDER = tempfile.TemporaryDirectory(prefix="portal-bench-")
    _embed()
