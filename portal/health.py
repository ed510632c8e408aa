"""Whether the portal is well: `/healthz` for the web alone, `/readyz` for all it needs, and the workers' heartbeat."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from portal.models import WorkerHeartbeat
from portal.registry import NEEDS
from portal.state import broker_folder
from portal.version import version

logger = logging.getLogger(__name__)

#: A worker that has not been seen for this long is gone.
ALIVE = timedelta(seconds=15)
#: Seconds between two heartbeats of a process.
BEAT_EVERY = 5.0
#: Seconds the broker may take to answer.
BROKER_PATIENCE = 1.0


@csrf_exempt  # so that a wrong method is told apart from a forbidden one
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The web answers; nothing else is asked."""
    return HttpResponse("ok", content_type="text/plain")


@csrf_exempt
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """Everything is there, or 503 and the names of what is missing."""
    missing = list(what_is_missing())
    response = JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)
    # Django would write an ERROR line at every probe; what fails to answer is in the log with its reason.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def what_is_missing() -> Iterator[str]:
    """Names of `registry.NEEDS`; one that fails in any way is missing, and its reason is in the log."""
    for name, path in NEEDS.items():
        try:
            there = import_string(path)()
        except Exception as error:  # noqa: BLE001 — whatever keeps it from answering, it is missing
            logger.warning("%s is not there: %s", name, type(error).__name__)
            there = False
        if not there:
            yield name


def database_answers() -> bool:
    """Raises Django's database errors where it does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def broker_answers() -> bool:
    """Redis answers a ping, or the folder can be written. Raises redis.RedisError."""
    if not settings.REDIS_URL:
        return os.access(broker_folder(settings.STATE_FOLDER), os.R_OK | os.W_OK | os.X_OK)
    with redis() as client:
        return bool(client.ping())


def redis() -> Any:
    """A connection to Redis, to be used with `with`."""
    # Named late: the embedded set-up starts a third of a second sooner without it.
    return import_string("redis.Redis").from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_PATIENCE, socket_timeout=BROKER_PATIENCE
    )


def worker_is_alive() -> bool:
    """Some worker has been seen lately."""
    return WorkerHeartbeat.objects.filter(at__gt=timezone.now() - ALIVE).exists()


class _LastBeat:
    """When this process last wrote its heartbeat, on the monotonic clock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = -BEAT_EVERY

    def is_due(self) -> bool:
        """True for one caller every BEAT_EVERY seconds."""
        with self.lock:
            now = time.monotonic()
            if now - self.at < BEAT_EVERY:
                return False
            self.at = now
            return True


_last_beat = _LastBeat()
_STARTED = timezone.now()


def process_name() -> str:
    """By what name this process is known: two on one machine differ."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(worker_name: str) -> None:
    """A worker is alive and does the beat's work; written every few seconds however often it is called."""
    if _last_beat.is_due():
        WorkerHeartbeat.objects.bulk_create(
            [WorkerHeartbeat(worker=worker_name, at=timezone.now(), started_at=_STARTED, version=version())],
            update_conflicts=True,
            unique_fields=["worker"],
            update_fields=["at", "started_at", "version"],
        )


def say_goodbye(**_: object) -> None:
    """A worker that stops in good order is not missed: its heartbeat goes with it."""
    try:
        WorkerHeartbeat.objects.filter(worker=process_name()).delete()
    except DatabaseError as error:
        logger.warning("the heartbeat stays (%s)", type(error).__name__)


def forget_old_workers() -> int:
    """Removes heartbeats of workers that are long gone."""
    removed, _ = WorkerHeartbeat.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()
    return removed
