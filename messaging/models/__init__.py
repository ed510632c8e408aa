"""What messaging keeps: messages and what becomes of them, batches, what comes in, templates, webhooks."""

from messaging.models.attempt import Attempt, DeliveryEvent
from messaging.models.batch import Batch
from messaging.models.gateway_told import GatewayTold
from messaging.models.inbound import InboundMessage, OptOut, Word
from messaging.models.message import Message, Taken
from messaging.models.report import DeliveryReport
from messaging.models.states import CANCELLABLE, FINAL, LEASED, MAY_FOLLOW, RESENDABLE, WAITING, Door, State, Wait
from messaging.models.step import Step
from messaging.models.tally import Span, Tally, TallyProgress
from messaging.models.template import MessageTemplate
from messaging.models.webhook import Delivered, Format, Stop, Webhook, WebhookDelivery, WebhookEvent, WebhookTry

__all__ = [
    "CANCELLABLE",
    "FINAL",
    "LEASED",
    "MAY_FOLLOW",
    "RESENDABLE",
    "WAITING",
    "Attempt",
    "Batch",
    "Delivered",
    "DeliveryEvent",
    "DeliveryReport",
    "Door",
    "Format",
    "GatewayTold",
    "InboundMessage",
    "Message",
    "MessageTemplate",
    "OptOut",
    "Span",
    "State",
    "Step",
    "Stop",
    "Taken",
    "Tally",
    "TallyProgress",
    "Wait",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookTry",
    "Word",
]
