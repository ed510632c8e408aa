"""Gunicorn's configuration (`gunicorn --config python:portal.web portal.wsgi`); its command line may overrule it."""

import os
import shutil
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from portal import settings
from portal.sign_in import policy

bind = f"[{settings.BIND}]:{settings.PORT}" if ":" in settings.BIND else f"{settings.BIND}:{settings.PORT}"
worker_class = "gthread"
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
#: Longer than an answer may be held with `wait`.
timeout = 60
#: Shorter than the time processes.py leaves for stopping.
graceful_timeout = 10
#: Nobody uses it, and its file would lie outside the state folder.
control_socket_disable = True
loglevel = "warning"
#: The most that gunicorn reads: programs of other systems send whole texts in addresses, six bytes for a letter.
limit_request_line = 8190
#: Whoever asks for an access log gets one without queries: they hold keys, passwords, phones and texts.
logger_class = "portal.access_log.WithoutSecrets"
#: Gunicorn would believe X-Forwarded-Proto from this machine; who is believed is said by TRUSTED_PROXIES alone.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}


def on_starting(server: Any) -> None:
    """Several processes count their requests in files, so that `/metrics` tells of all of them."""
    if server.cfg.workers > 1:
        folder = settings.STATE_FOLDER / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # Read by prometheus_client when it is imported, which the processes to come do.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def post_worker_init(_worker: Any) -> None:
    """What this process counts is added to the totals from now on, and the database's clock counts."""
    import_string("portal.clock.start")()
    import_string("portal.counting.start")()


def worker_exit(_server: Any, _worker: Any) -> None:
    """And the rest of it at the end, unless a wrong setting kept it from starting."""
    if apps.ready:
        import_string("portal.counting.stop")()
        import_string("portal.clock.stop")()


def post_fork(server: Any, _worker: Any) -> None:
    """The sockets tell where the web really listens, whoever said so: we, the command line, or systemd."""
    names = [listener.getsockname() for listener in server.LISTENERS]
    policy.listens_at(name[0] if isinstance(name, tuple) else str(name) for name in names)
