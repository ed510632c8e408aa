"""The contract between the portal and a provider: what is handed over, what may come back, and the words for it.

A provider builds requests and reads answers; it does no input or output. `docs/architecture.md` says how to add one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django import forms
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


@dataclass(frozen=True)
class OutboundSms:
    """One message as a provider needs it.

    `key` is the same at every attempt of one message, so that a provider that knows keys sends it once; `phone` is
    E.164 with `+`; `text` may hold a secret and is kept out of `repr`.
    """

    key: str
    phone: str
    text: str = field(repr=False)
    sender: str
    valid_until: datetime


@dataclass(frozen=True)
class HttpRequest:
    """A request a provider wants made; the body and headers may hold secrets and are kept out of `repr`."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class HttpResponse:
    """What came back: at most 1 MiB of body; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


LONGEST_REFERENCE = 200
LONGEST_REASON = 300
#: Seconds; a provider that asks for more, or for nonsense, is tried again after this.
LONGEST_RETRY_AFTER = 3600.0


def storable(text: str, longest: int = LONGEST_REASON) -> str:
    """What a provider wrote, as every database takes it: no NUL, no half of a pair, no longer than its column."""
    return text.encode(errors="replace").decode().replace("\x00", "")[:longest]


@dataclass(frozen=True)
class Accepted:
    """The provider took the message. `reference` is its id for it, empty where it gives none."""

    reference: str = ""
    detail: str = ""

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
    """The provider refused this message for good."""

    outcome = Outcome.REFUSED


class RefusedForNow(NotAccepted):
    """The provider refused and may accept after `retry_after` seconds."""

    outcome = Outcome.REFUSED_FOR_NOW

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after if 0 <= retry_after <= LONGEST_RETRY_AFTER else LONGEST_RETRY_AFTER


class GatewayFault(NotAccepted):
    """The account is at fault: wrong login, no funds, blocked. No message is to blame and none burns an attempt."""

    outcome = Outcome.GATEWAY_FAULT


class Ambiguous(NotAccepted):
    """Nobody can tell whether the provider took the message."""

    outcome = Outcome.AMBIGUOUS


class Unreadable(Exception):
    """An answer to a query or look-up that says nothing we can use; asking again later is the only remedy."""


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


class BaseProvider:
    """Harmless defaults for every provider.

    `settings` is the gateway's validated Config, `sender` its signature and `gateway` its name.
    """

    label: ClassVar[str] = ""

    class Config(forms.Form):
        """The settings an administrator fills in; each field is shown in the admin and named in API errors."""

    #: Names of Config fields that are secrets: write-only in the API, masked on screen.
    secrets: ClassVar[Sequence[str]] = ()
    #: A second submit with the same key is answered and not sent again.
    dedupe_key: bool = False
    #: `look_up` can tell whether a key was accepted, once `settle_window` seconds have passed.
    can_look_up: bool = False
    settle_window: float = 60.0
    #: Receipts arrive, by query or by callback; without them a message is final when submitted.
    sends_receipts: bool = False
    #: `query` may be asked for receipts.
    can_query: bool = False
    #: How many references or keys one query or look-up may hold.
    query_batch: int = 100

    def __init__(self, settings: Mapping[str, Any], sender: str = "", gateway: str = "") -> None:
        self.settings = settings
        self.sender = sender
        self.gateway = gateway

    def submit(self, sms: OutboundSms) -> HttpRequest:
        """The request that hands one message over."""
        raise NotImplementedError

    def read_submit(self, response: HttpResponse) -> Accepted:
        """What the answer to `submit` means. Raises NotAccepted; anything else it raises counts as ambiguous."""
        raise Ambiguous("the provider's answer is not understood")

    def query(self, references: Sequence[str]) -> HttpRequest:
        """The request that asks what became of messages it accepted."""
        raise NotImplementedError

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        """The receipts in the answer to `query`. Raises Unreadable."""
        raise NotImplementedError

    def look_up(self, keys: Sequence[str]) -> HttpRequest:
        """The request that asks whether these keys were accepted."""
        raise NotImplementedError

    def read_look_up(self, response: HttpResponse) -> Mapping[str, Accepted | None]:
        """For each key asked: how it was accepted, or None where its absence is proven. Raises Unreadable."""
        raise NotImplementedError

    def redact(self, text: str) -> str:
        """An exchange as it may be stored and shown: without what the provider knows to be secret."""
        return text


def read_outcome(provider: BaseProvider, response: HttpResponse) -> Accepted | NotAccepted:
    """What the answer means; a provider file that fails on an answer has not understood it, so it is ambiguous."""
    try:
        outcome = provider.read_submit(response)
    except NotAccepted as known:
        return known
    except Exception as error:  # noqa: BLE001 — any failure to read means: unclear
        return Ambiguous(f"the provider's answer could not be read ({type(error).__name__})")
    return outcome if isinstance(outcome, Accepted) else Ambiguous("the provider's answer is not understood")
