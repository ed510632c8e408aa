"""Forgetting: a recipient in our own messages, and a message at its provider, where the provider knows how."""

from django.utils.translation import gettext as _

from gateways import questions, sessions
from gateways.models import Gateway
from gateways.outcomes import NotAccepted, Unreadable
from messaging.known_gateways import gateway_of
from messaging.models import FINAL, Batch, Message
from portal.encryption import KeyMissing
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import may_use_gateway


def forget_recipient(label: str) -> int:
    """No message names this recipient any more, nor can it be sent again; how many that were.

    That something was sent to the phone, and what became of it, stays on record.
    """
    if not label:
        return 0
    for batch in Batch.objects.exclude(refused=[]).only("refused"):
        batch.forget(label)
    return Message.forget_recipient(label)


def forget(message: Message, *, by: User | None = None) -> None:
    """Asks the provider to delete its record of the message. Call it outside any transaction.

    Raises Refusal (a conflict) where it cannot be asked that, where the message is still under way, or where the
    provider does not do it; what that says is not told to a key that is not for its gateway.
    """
    gateway: Gateway = message.gateway
    if not gateway.abilities().can_forget or not message.reference:
        sentence = _("The provider of gateway “%(name)s” cannot be asked to delete this message.")
        raise Refusal(sentence % {"name": gateway_of(message, by).name}, why=Why.CONFLICT)
    if message.state not in FINAL:
        sentence = _("Message %(id)s is still under way; its provider needs its record of it.")
        raise Refusal(sentence % {"id": message.pk}, why=Why.CONFLICT)
    try:
        questions.ask(
            gateway,
            lambda provider: provider.forget(message.as_sent()),
            lambda provider, response: provider.read_forget(response),
        )
    except (NotAccepted, Unreadable, sessions.Busy, KeyMissing) as error:
        sentence, kind = _("The provider did not delete it: %(reason)s"), type(error).__name__
        reason = str(error) or kind if may_use_gateway(by, gateway.pk) else kind
        raise Refusal(sentence % {"reason": reason}, why=Why.CONFLICT) from None
