"""What the properties share: a short way to accept a message, and the event loop that carries it."""

from tests.messaging.conftest import longest_delays, network, send
from tests.services.conftest import installation

__all__ = ["installation", "longest_delays", "network", "send"]
