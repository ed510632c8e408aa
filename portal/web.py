"""Gunicorn's configuration (`gunicorn --config python:portal.web portal.wsgi`); its command line may overrule it."""

from portal import settings

bind = f"127.0.0.1:{settings.PORT}"
worker_class = "gthread"
threads = settings.WEB_THREADS
#: Longer than an answer may be held with `wait`.
timeout = 60
#: Shorter than the time processes.py leaves for stopping.
graceful_timeout = 10
#: Nobody uses it, and its file would lie outside the state folder.
control_socket_disable = True
loglevel = "warning"
#: Gunicorn would believe X-Forwarded-Proto from this machine; who is believed is said by TRUSTED_PROXIES alone.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
