"""Numbers for providers that know a message by a whole number only; they stay below 2**31, the least that is stored."""

from datetime import UTC, datetime
from functools import cache

from django.db.migrations.recorder import MigrationRecorder


def number_of(message_id: int) -> int:
    """The same at every attempt, and never one that this provider was given before.

    Not the primary key alone: a portal that is set up anew counts from 1 again, and the provider would take its
    messages for ones it has sent. So it counts from the second in which this database was made.
    """
    return _made_at() + message_id


def id_of(number: int) -> int:
    """The message whose number this may be."""
    return number - _made_at()


@cache
def _made_at() -> int:
    """Seconds from 2020 until this database was made: Django notes when it applied each migration."""
    made = MigrationRecorder.Migration.objects.earliest("applied").applied
    return int((made - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds())
