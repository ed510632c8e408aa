"""Gunicorn's configuration (`gunicorn --config python:portal.web portal.wsgi`); its command line may overrule it."""

from typing import Any

from portal import settings
from portal.sign_in import policy

bind = f"[{settings.BIND}]:{settings.PORT}" if ":" in settings.BIND else f"{settings.BIND}:{settings.PORT}"
worker_class = "gthread"
threads = settings.WEB_THREADS
#: Longer than an answer may be held with `wait`.
timeout = 60
#: Shorter than the time processes.py leaves for stopping.
graceful_timeout = 10
#: Nobody uses it, and its file would lie outside the state folder.
control_socket_disable = True
loglevel = "warning"


def post_fork(server: Any, _worker: Any) -> None:
    """The sockets tell where the web really listens, whoever said so: we, the command line, or systemd."""
    names = [listener.getsockname() for listener in server.LISTENERS]
    policy.listens_at(name[0] if isinstance(name, tuple) else str(name) for name in names)
