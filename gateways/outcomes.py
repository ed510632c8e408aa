"""The words between a provider and the portal: what became of a message, what is reported of it, what guests write.

Plain values without any input or output. Whatever comes from outside is cut to what every database stores.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """What became of one attempt to hand a message over. When in doubt an outcome is AMBIGUOUS."""

    ACCEPTED = "accepted", _("accepted")  # the provider took the message and said so
    NOT_SENT = "not_sent", _("not sent")  # nothing was written to the provider: safe to try again anywhere
    REFUSED = "refused", _("refused")  # the provider will never take this message
    REFUSED_FOR_NOW = "refused_for_now", _("refused for now")  # it did not take it and may later
    GATEWAY_FAULT = "gateway_fault", _("gateway fault")  # the account is at fault (login, funds), not the message
    AMBIGUOUS = "ambiguous", _("unclear")  # it may or may not have taken the message


class ReceiptState(models.TextChoices):
    """What a provider later reports of a message it accepted."""

    PENDING = "pending", _("on its way")
    DELIVERED = "delivered", _("delivered")
    UNDELIVERED = "undelivered", _("not delivered")
    EXPIRED = "expired", _("expired")
    UNCONFIRMED = "unconfirmed", _("sent, and no receipt will come")


LONGEST_REFERENCE = 200
LONGEST_REASON = 300
#: Seconds; a provider that asks for more, or for nonsense, is tried again after this.
LONGEST_RETRY_AFTER = 3600.0


def storable(text: str, longest: int = LONGEST_REASON) -> str:
    """What a provider wrote, as every database takes it: no NUL, no half of a pair, no longer than its column."""
    return text.encode(errors="replace").decode().replace("\x00", "")[:longest]


@dataclass(frozen=True)
class OutboundSms:
    """One message as a provider needs it.

    `key` is the same at every attempt of one message, so that a provider that knows keys sends it once; `number` is
    the same as a number, for those that know numbers only; `phone` is E.164 with `+`; `text` may hold a secret and is
    kept out of `repr`; `former` is the provider's reference of an unsuccessful message that a person sends again with
    this one, where it went through the same gateway; `parts` is how many segments the text takes on the air.
    """

    key: str
    phone: str
    text: str = field(repr=False)
    sender: str
    valid_until: datetime
    number: int = 0
    former: str = ""
    parts: int = 1

    def minutes_left(self, most: int) -> int:
        """For how many minutes it is still worth delivering, begun ones too; at least one and at most `most`."""
        left = (self.valid_until - datetime.now(UTC)).total_seconds() / 60
        return min(max(ceil(left), 1), most)


@dataclass(frozen=True)
class SentSms:
    """A message handed over earlier, as it is asked about; `reference` is empty where its answer was lost."""

    key: str
    number: int
    phone: str
    reference: str = ""


@dataclass(frozen=True)
class Accepted:
    """The provider took the message.

    `reference` is its id for it, empty where it gives none. `code` is the one-time code it made itself, which is kept
    as a digest only.
    """

    reference: str = ""
    detail: str = ""
    code: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", storable(str(self.reference), LONGEST_REFERENCE))
        object.__setattr__(self, "detail", storable(self.detail))


class NotAccepted(Exception):
    """Any other outcome of a submit; `reason` is a sentence without secrets for the operator."""

    outcome: ClassVar[Outcome] = Outcome.AMBIGUOUS

    def __init__(self, reason: str) -> None:
        self.reason = storable(reason)
        super().__init__(self.reason)


class NotSent(NotAccepted):
    """Nothing reached the provider."""

    outcome = Outcome.NOT_SENT


class Refused(NotAccepted):
    """The provider refused this message for good: its phone or its text is at fault, and so it would be anywhere."""

    outcome = Outcome.REFUSED


class RefusedHere(Refused):
    """This account will never take the message (its sender or route is not allowed); another gateway may."""


class RefusedForNow(NotAccepted):
    """The provider refused and may accept after `retry_after` seconds."""

    outcome = Outcome.REFUSED_FOR_NOW

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after if 0 <= retry_after <= LONGEST_RETRY_AFTER else LONGEST_RETRY_AFTER


class GatewayFault(NotAccepted):
    """The account is at fault: no funds, blocked. No message is to blame and none burns an attempt.

    `remedy` tells the administrator what to do; `pause` is how many seconds the gateway is left alone at the least.
    """

    outcome = Outcome.GATEWAY_FAULT

    def __init__(self, reason: str, remedy: str = "", pause: float = 0.0) -> None:
        super().__init__(reason)
        self.remedy = storable(remedy)
        self.pause = pause if 0 <= pause <= LONGEST_RETRY_AFTER else LONGEST_RETRY_AFTER


class CredentialsRefused(GatewayFault):
    """The provider does not know this login, password, key or token. Nothing is tried again until a person acts."""


class Ambiguous(NotAccepted):
    """Nobody can tell whether the provider took the message."""

    outcome = Outcome.AMBIGUOUS


class Unreadable(Exception):
    """An answer to anything but a submit that says nothing we can use; asking again later is the only remedy."""


@dataclass(frozen=True)
class Receipt:
    """What a provider reports about a reference; `at` is its own time where it gives one."""

    reference: str
    state: ReceiptState
    at: datetime | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", storable(str(self.reference), LONGEST_REFERENCE))
        object.__setattr__(self, "detail", storable(self.detail))


LONGEST_PHONE = 40
#: More than any phone can write in one message.
LONGEST_INBOUND = 10_000


@dataclass(frozen=True)
class InboundSms:
    """What a guest wrote: `phone` as the provider spells it, `reference` its id where it gives one."""

    phone: str
    text: str = field(repr=False)
    reference: str = ""
    at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "phone", storable(str(self.phone), LONGEST_PHONE))
        object.__setattr__(self, "text", storable(self.text, LONGEST_INBOUND))
        object.__setattr__(self, "reference", storable(str(self.reference), LONGEST_REFERENCE))


class BadCallback(Exception):
    """A call from outside that is not signed as it must be, or cannot be read; nothing in it is believed.

    `status` is what the caller is answered: 401 for a signature, 400 for a body.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        self.reason = storable(reason)
        self.status = status
        super().__init__(self.reason)


@dataclass(frozen=True)
class Balance:
    """What is left on the account; `currency` as the provider writes it, empty where it gives none."""

    amount: Decimal
    currency: str = ""
