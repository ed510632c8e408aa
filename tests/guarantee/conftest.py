"""What the properties share: a short way to accept a message, and the event loop that carries it."""

from tests.messaging.conftest import longest_delays, network, send

__all__ = ["longest_delays", "network", "send"]
