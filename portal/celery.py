"""Celery: the bell that wakes workers. The database is the queue, so a lost bell only costs a second."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from kombu.transport import TRANSPORT_ALIASES

from portal.checks import refuse_wrong_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

TRANSPORT_ALIASES["folder"] = "portal.broker:Transport"

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_to_start(**_: Any) -> None:
    """Neither a worker nor beat runs with a wrong setting."""
    refuse_wrong_settings()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """A receiver here is all it takes for Celery to leave Django's LOGGING as it is."""
