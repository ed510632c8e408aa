"""What is thrown away in time. Each step is a function without arguments that returns how many things it removed."""

import logging

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.module_loading import import_string

from portal import broker
from portal.state import broker_folder

logger = logging.getLogger(__name__)

#: Dotted strings, resolved when they are run: the ground imports no app.
STEPS: list[str] = [
    "portal.housekeeping.drop_old_drafts",
    "portal.housekeeping.drop_expired_sessions",
    "portal.health.forget_old_workers",
    "portal.api.authentication.drop_old_tokens",
    "portal.api.commit.drop_old_answers",
]


def register(path: str) -> None:
    """Lets an app add a step of its own."""
    if path not in STEPS:
        STEPS.append(path)


def keep_house() -> None:
    """Runs every step. One that fails is logged and does not keep the others from their work."""
    for path in STEPS:
        try:
            removed = import_string(path)()
        except Exception:
            logger.exception("the housekeeping step %s failed", path)
        else:
            if removed:
                logger.info("%s removed %s", path, removed)


def drop_expired_sessions() -> int:
    """Sessions of people who signed in and never out."""
    removed, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed


def drop_old_drafts() -> int:
    """What killed processes left in the broker's folder."""
    return broker.drop_old_drafts(broker_folder(settings.STATE_FOLDER))
