"""How often something was done in this minute, whichever process did it: Redis counts, or the database in its place."""

import logging
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from portal import statements
from portal.models import CallCount

logger = logging.getLogger(__name__)

MINUTE = 60
#: Seconds that Redis may take to let us in, and to answer. Both together hold nobody for long.
PATIENCE = 0.4
#: Seconds for which a Redis that did not answer is not asked again: nobody else waits for it.
LEFT_ALONE = 15.0
PREFIX = "portal:rate"

COUNT = """
INSERT INTO portal_callcount (name, minute, count) VALUES (%s, %s, 1)
ON CONFLICT (name, minute) DO UPDATE SET count = portal_callcount.count + 1
RETURNING count
"""


class _Redis:
    """When to ask it again."""

    asked_from: float = 0.0


def count(name: str) -> int:
    """Counts one more of this name, of at most 100 characters; how many there were in this minute, this one included.

    Raises Django's database errors where nothing can count.
    """
    minute = int(time.time()) // MINUTE
    if settings.REDIS_URL and time.monotonic() >= _Redis.asked_from:
        try:
            return _by_redis(f"{PREFIX}:{name}:{minute}")
        except import_string("redis.RedisError") as error:
            _Redis.asked_from = time.monotonic() + LEFT_ALONE
            logger.warning("Redis counts no calls (%s): the database does", type(error).__name__)
    return int(statements.ask(COUNT, [name, minute])[0][0])


def left_of_minute() -> int:
    """Seconds until another minute begins, one at least."""
    return MINUTE - int(time.time()) % MINUTE


def drop_old_counts() -> int:
    """Housekeeping: forgets the minutes before the last. Returns how many rows."""
    removed: int = CallCount.objects.filter(minute__lt=int(time.time()) // MINUTE - 1).delete()[0]
    return removed


def _by_redis(key: str) -> int:
    with _redis(settings.REDIS_URL).pipeline() as both:
        counted, _ = both.incr(key).expire(key, 2 * MINUTE).execute()
    return int(counted)


@cache
def _redis(url: str) -> Any:
    # Named late: the embedded set-up starts a third of a second sooner without it. By itself it would try again, and
    # again.
    once = import_string("redis.retry.Retry")(import_string("redis.backoff.NoBackoff")(), 0)
    return import_string("redis.Redis").from_url(
        url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=once
    )
