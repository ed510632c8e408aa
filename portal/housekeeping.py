"""What is thrown away in time: every step of `registry.HOUSEKEEPING`, and the steps that belong to no app."""

import logging
import time
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.module_loading import import_string

from portal import broker
from portal.models import LastRun
from portal.registry import HOUSEKEEPING
from portal.state import broker_folder

logger = logging.getLogger(__name__)


#: Under this name the last run is kept, and in its result what failed.
RUN = "housekeeping"
FAILED = "failed"
#: How many days e-mails stay that went nowhere but into a file.
MAIL_DAYS = 7


def keep_house() -> None:
    """Runs every step and keeps what became of each."""
    began = time.monotonic()
    result = {path: _take_step(path) for path in HOUSEKEEPING}
    kept = {"at": timezone.now(), "seconds": time.monotonic() - began, "result": result}
    LastRun.objects.update_or_create(name=RUN, defaults=kept)


def _take_step(path: str) -> int | str:
    """How many things it removed. One that fails is logged and does not keep the others from their work."""
    try:
        removed: int = import_string(path)() or 0
    except Exception:
        logger.exception("the housekeeping step %s failed", path)
        return FAILED
    if removed:
        logger.info("%s removed %s", path, removed)
    return removed


def drop_expired_sessions() -> int:
    """Sessions of people who signed in and never out."""
    removed, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed


def drop_old_mail() -> int:
    """E-mails that are kept as files because no mail server is named."""
    before = time.time() - MAIL_DAYS * 24 * 60 * 60
    old = [path for path in Path(settings.EMAIL_FILE_PATH).glob("*.log") if path.stat().st_mtime < before]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def drop_old_drafts() -> int:
    """What killed processes left in the broker's folder."""
    return broker.drop_old_drafts(broker_folder(settings.STATE_FOLDER))
