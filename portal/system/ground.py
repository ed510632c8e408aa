"""What the ground itself tells: versions, processes, broker, database, configuration, upkeep."""

import logging
import platform
import shutil
from collections.abc import Iterator
from datetime import timedelta

import celery
import django
from django.conf import settings
from django.core import checks
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import health
from portal.housekeeping import FAILED, RUN
from portal.models import LastRun, WorkerHeartbeat
from portal.system import servers
from portal.system.lines import Line, State, ago, seconds
from portal.version import version

logger = logging.getLogger(__name__)

#: Housekeeping runs every minute.
HOUSEKEEPING_LATE = timedelta(minutes=5)
#: Free space below which things go wrong soon, and below which they do any moment.
LITTLE, TOO_LITTLE = 1_000_000_000, 200_000_000
#: So many bells in the queue, and nobody answers them.
LONG_QUEUE = 1000
#: What Django says of a portal that is reached over plain HTTP.
PLAIN_HTTP = ("security.W004", "security.W008", "security.W012", "security.W016")
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
LEVELS = ((checks.ERROR, State.ERROR), (checks.WARNING, State.WARNING))
#: They say what is wrong with code and not with a set-up, and take a second for it.
FOR_DEVELOPERS = ("drf_spectacular", "rest_framework", "django.contrib.admin", "django.core.checks.model_checks")


def versions() -> Iterator[Line]:
    """What runs here."""
    yield Line(_("Portal"), version())
    yield Line("Python", platform.python_version())
    yield Line("Django", django.get_version())
    yield Line("Celery", celery.__version__)


def processes() -> Iterator[Line]:
    """Workers, and beat, of which nothing is seen but what it makes workers do."""
    workers = list(WorkerHeartbeat.objects.order_by("-at"))
    now = timezone.now()
    alive = [worker for worker in workers if now - worker.at < health.ALIVE]
    state = State.OK if alive else State.ERROR
    remedy = "" if alive else _("Start the worker and the beat: one of them does not run, so nothing is sent.")
    yield Line(_("Last sweep"), ago(workers[0].at if workers else None), state, remedy)
    for worker in workers:
        yield _worker(worker, is_alive=worker in alive)


def _worker(worker: WorkerHeartbeat, *, is_alive: bool) -> Line:
    if is_alive:
        started = ago(worker.started_at) if worker.started_at else "—"
        seen = _("alive, seen %(seen)s; version %(version)s, started %(started)s")
        return Line(
            worker.worker, seen % {"seen": ago(worker.at), "version": worker.version or "—", "started": started}
        )
    remedy = _("It ended without taking leave. If you ended it nothing is to be done: the line goes after a day.")
    return Line(worker.worker, _("gone, seen %(seen)s") % {"seen": ago(worker.at)}, State.WARNING, remedy)


def broker() -> Iterator[Line]:
    """The bell's way to the workers."""
    yield Line(_("Kind"), "Redis" if settings.REDIS_URL else _("files in the state folder"))
    try:
        reachable = health.broker_answers()
        waiting = servers.bells_waiting() if reachable else 0
    except Exception as error:  # noqa: BLE001 — whatever keeps it from answering, it is away
        logger.warning("the broker does not answer (%s)", type(error).__name__)
        reachable, waiting = False, 0
    if not reachable:
        remedy = _("Start Redis, or make the state folder writable. What is accepted waits and is not lost.")
        yield Line(_("Answers"), _("no"), State.ERROR, remedy)
        return
    yield Line(_("Answers"), _("yes"))
    is_long = waiting > LONG_QUEUE
    remedy = _("Workers do not keep up, or do not run: start more of them.") if is_long else ""
    yield Line(_("Tasks in the queue"), str(waiting), State.WARNING if is_long else State.OK, remedy)


def database() -> Iterator[Line]:
    """Its kind, its size, who is connected, and whether its tables are those of this version."""
    yield Line(_("Kind"), f"{connection.display_name} {servers.database_version()}")
    yield Line(_("Size"), filesizeformat(servers.database_size()))
    if connections := servers.connections():
        used, most = connections
        full = used > most * 0.8
        remedy = _("Raise max_connections of PostgreSQL, or run fewer threads and workers.") if full else ""
        shown = _("%(used)s of %(most)s") % {"used": used, "most": most}
        yield Line(_("Connections"), shown, State.WARNING if full else State.OK, remedy)
    missing = servers.migrations_missing()
    if missing:
        yield Line(_("Migrations"), ", ".join(missing), State.ERROR, _("Run manage.py migrate."))
    else:
        yield Line(_("Migrations"), _("all applied"))


def configuration() -> Iterator[Line]:
    """What `manage.py check --deploy` says of the settings."""
    every = checks.registry.registry.get_checks(include_deployment_checks=True)
    checking = [check for check in every if not str(check.__module__).startswith(FOR_DEVELOPERS)]
    found = [message for check in checking for message in check(app_configs=None, databases=None)]
    yield _https()
    for message in sorted(found, key=lambda message: -message.level):
        if not message.is_silenced() and message.id not in PLAIN_HTTP:
            state = next((state for level, state in LEVELS if message.level >= level), State.OK)
            yield Line(message.id or "", message.msg, state, message.hint or "")


def _https() -> Line:
    """One line for what Django says in four."""
    if settings.HTTPS:
        return Line(_("HTTPS"), _("yes"))
    near = set(settings.ALLOWED_HOSTS) <= LOOPBACK
    remedy = _("Before others than this machine reach the portal, put a proxy with HTTPS in front: PORTAL_HTTPS=true.")
    return Line(_("HTTPS"), _("no"), State.OK if near else State.WARNING, remedy)


def upkeep() -> Iterator[Line]:
    """What is thrown away in time, and the room that is left."""
    yield _housekeeping(LastRun.objects.filter(name=RUN).first())
    free = shutil.disk_usage(settings.STATE_FOLDER).free
    state = State.ERROR if free < TOO_LITTLE else State.WARNING if free < LITTLE else State.OK
    remedy = _("Make room on the disk of the state folder.") if state is not State.OK else ""
    yield Line(_("Free on the disk of the state folder"), filesizeformat(free), state, remedy)


def _housekeeping(run: LastRun | None) -> Line:
    about = _("Housekeeping")
    if run is None or timezone.now() - run.at > HOUSEKEEPING_LATE:
        remedy = _("It runs every minute where worker and beat run: start them.")
        return Line(about, ago(run.at if run else None), State.WARNING, remedy)
    failed = [path for path, removed in run.result.items() if removed == FAILED]
    if failed:
        shown = _("%(seen)s; failed: %(steps)s") % {"seen": ago(run.at), "steps": ", ".join(failed)}
        return Line(about, shown, State.ERROR, _("The worker's log has the reason."))
    removed = sum(run.result.values())
    shown = _("%(seen)s, took %(seconds)s, things removed: %(removed)s")
    return Line(about, shown % {"seen": ago(run.at), "seconds": seconds(run.seconds), "removed": removed})
