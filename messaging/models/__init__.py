"""What messaging keeps: messages, their attempts and receipts, and the templates of their texts."""

from messaging.models.attempt import Attempt, DeliveryEvent
from messaging.models.message import Message
from messaging.models.states import FINAL, LEASED, MAY_FOLLOW, RESENDABLE, WAITING, State, Wait
from messaging.models.template import MessageTemplate

__all__ = [
    "FINAL",
    "LEASED",
    "MAY_FOLLOW",
    "RESENDABLE",
    "WAITING",
    "Attempt",
    "DeliveryEvent",
    "Message",
    "MessageTemplate",
    "State",
    "Wait",
]
