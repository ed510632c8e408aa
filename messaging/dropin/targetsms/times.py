"""Times as these documents write them: without a zone, and meant in the portal's own, which its settings name."""

import re
from datetime import datetime

from django.utils import timezone

#: With seconds or without, whatever the documentation has at that place.
SHAPE = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?", re.ASCII)


def moment(written: str) -> datetime | None:
    """The time; None where nothing is written. Raises ValueError for anything else."""
    written = written.strip()
    if not written:
        return None
    if not SHAPE.fullmatch(written):
        raise ValueError
    return timezone.make_aware(datetime.fromisoformat(written), timezone.get_default_timezone())


def local(at: datetime) -> str:
    """Such as `2026-12-01 12:57:46`."""
    return f"{timezone.localtime(at, timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"
