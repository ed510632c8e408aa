"""What messaging keeps: messages, their attempts and receipts, what comes in, the templates of texts, and tallies."""

from messaging.models.attempt import Attempt, DeliveryEvent
from messaging.models.inbound import InboundMessage, OptOut, Word
from messaging.models.message import Message
from messaging.models.states import FINAL, LEASED, MAY_FOLLOW, RESENDABLE, WAITING, State, Wait
from messaging.models.tally import Span, Tally, TallyProgress
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
    "Span",
    "State",
    "Tally",
    "TallyProgress",
    "Wait",
    "Word",
]
