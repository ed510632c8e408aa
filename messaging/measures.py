"""What a drain tells of itself for `/metrics`: how large its batches are, and how long the portal's own part takes."""

from portal import counting

SIZES = (1, 2, 5, 10, 20, 50, 100, 250)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def batch(gateway_id: int, messages: int, seconds: float) -> None:
    """So many messages were claimed, put on record and launched in that time."""
    counting.observe("drain_batch_messages", messages, SIZES, gateway=gateway_id)
    counting.observe("drain_launch_seconds", seconds, SECONDS, gateway=gateway_id)


def settled(gateway_id: int, seconds: float) -> None:
    """The answers of a batch were written down in that time."""
    counting.observe("drain_settle_seconds", seconds, SECONDS, gateway=gateway_id)
