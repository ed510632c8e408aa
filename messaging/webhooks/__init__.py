"""Webhooks out: other systems are told of events, signed as Standard Webhooks says, at least once.

`tell` is for whoever has something to tell; the rest is for staff and workers.
"""

from messaging.models.outbox import Data, forget, is_heard, tell, tell_all
from messaging.webhooks.keeping import Details, Made, change, create, pause, remove, resume, rotate
from messaging.webhooks.repeating import Tested, replay, test
from messaging.webhooks.standing import Standing, standing_of, waiting, with_waiting
from messaging.webhooks.upkeep import forget_about

__all__ = [
    "Data",
    "Details",
    "Made",
    "Standing",
    "Tested",
    "change",
    "create",
    "forget",
    "forget_about",
    "is_heard",
    "pause",
    "remove",
    "replay",
    "resume",
    "rotate",
    "standing_of",
    "tell",
    "tell_all",
    "test",
    "waiting",
    "with_waiting",
]
