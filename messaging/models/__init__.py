"""What messaging keeps: messages and what becomes of them, batches, what comes in, and templates."""

from messaging.models.attempt import Attempt, DeliveryEvent
from messaging.models.batch import Batch
from messaging.models.inbound import InboundMessage, OptOut, Word
from messaging.models.message import Message, Taken
from messaging.models.states import CANCELLABLE, FINAL, LEASED, MAY_FOLLOW, RESENDABLE, WAITING, Door, State, Wait
from messaging.models.step import Step
from messaging.models.tally import Span, Tally, TallyProgress
from messaging.models.template import MessageTemplate

__all__ = [
    "CANCELLABLE",
    "FINAL",
    "LEASED",
    "MAY_FOLLOW",
    "RESENDABLE",
    "WAITING",
    "Attempt",
    "Batch",
    "DeliveryEvent",
    "Door",
    "InboundMessage",
    "Message",
    "MessageTemplate",
    "OptOut",
    "Span",
    "State",
    "Step",
    "Taken",
    "Tally",
    "TallyProgress",
    "Wait",
    "Word",
]
