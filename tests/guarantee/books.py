"""All that is on record of messages, to be compared: two copies are equal where nothing was written in between."""

from typing import Any

from django.db.models import Model

from messaging.models import Attempt, DeliveryEvent, InboundMessage, Message, OptOut, Step

TABLES: tuple[type[Model], ...] = (Message, Attempt, DeliveryEvent, Step, InboundMessage, OptOut)
#: Every column of every row, by table.
Books = dict[str, list[dict[str, Any]]]


def copied() -> Books:
    """What is on record now."""
    return {table.__name__: list(table._default_manager.order_by("pk").values()) for table in TABLES}
