"""What messaging keeps: messages, their attempts and receipts, what comes in, and the templates of texts."""

from messaging.models.attempt import Attempt, DeliveryEvent
from messaging.models.inbound import InboundMessage, OptOut, Word
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
    "InboundMessage",
    "Message",
    "MessageTemplate",
    "OptOut",
    "State",
    "Wait",
    "Word",
]
