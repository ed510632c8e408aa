"""The contract between the portal and a provider: what is handed over, and what may come back.

A provider builds requests and reads answers; it does no input or output. `docs/adding-a-provider.md` says how to add
one. The words are in `outcomes.py`, requests and answers in `http.py`, the ways in in `auth/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise

from gateways import auth
from gateways.http import Callback, CallbackReply, HttpRequest, HttpResponse
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    BadCallback,
    Balance,
    InboundSms,
    NotAccepted,
    OutboundSms,
    Receipt,
    SentSms,
    Unreadable,
)


@dataclass(frozen=True)
class Paste:
    """Tells the operator where at the provider to paste the gateway's callback address, with `query` behind it."""

    where: str | Promise
    query: str = ""


class BaseProvider:
    """Harmless defaults for every provider.

    `settings` is the gateway's validated Config, `sender` its signature, `gateway` its name, and `callback_url` the
    address at which the portal takes this gateway's callbacks, empty where it does not know its own address.
    """

    label: ClassVar[str] = ""
    #: One line for whoever chooses a provider: what it is, and for whom.
    about: ClassVar[str | Promise] = ""

    class Config(forms.Form):
        """The settings an administrator fills in; each field is shown in the admin and named in API errors."""

    #: Many settings are shown in sections: a title, the names of its fields, and whether it begins folded.
    sections: ClassVar[Sequence[tuple[str | Promise, Sequence[str], bool]]] = ()
    #: Where at the provider the callback address is pasted; empty where it goes with every message, or nobody calls.
    pastes: ClassVar[Sequence[Paste]] = ()

    #: Names of Config fields that are secrets: write-only in the API, masked on screen, taken out of every exchange.
    secrets: ClassVar[Sequence[str]] = ()
    #: Takes no part in failover: neither stands in for another gateway nor hands its own messages on.
    alone: ClassVar[bool] = False
    #: The provider makes the one-time code: the text must hold this placeholder, and `Accepted.code` tells the code.
    code_placeholder: ClassVar[str] = ""

    #: How a request is made to be believed, where the file does not do so itself.
    way: auth.Way = auth.OPEN
    #: A second submit with the same key is answered and not sent again.
    dedupe_key: bool = False
    #: `look_up` can tell whether a key was accepted, once `settle_window` seconds have passed.
    can_look_up: bool = False
    settle_window: float = 60.0
    #: Receipts arrive, by query or by callback; without them a message is final when submitted.
    sends_receipts: bool = False
    #: `query` may be asked for receipts.
    can_query: bool = False
    #: Receipts name our key, because the provider gives a message no id of its own.
    reports_by_key: bool = False
    #: Knows how to send an unsuccessful message again by its reference, `sms.former`. Where it refuses to, the message
    #: itself is handed over.
    takes_former: bool = False
    #: How many messages one query or look-up may hold.
    query_batch: int = 100
    #: `balance` may be asked.
    can_tell_balance: bool = False
    #: `forget` takes a message off the provider's own log.
    can_forget: bool = False
    #: `fetch_inbound` may be asked for what guests wrote.
    can_fetch_inbound: bool = False
    #: `read_callback` tells what guests wrote.
    hears_inbound: bool = False

    def __init__(
        self, settings: Mapping[str, Any], sender: str = "", gateway: str = "", callback_url: str = ""
    ) -> None:
        self.settings = settings
        self.sender = sender
        self.gateway = gateway
        self.callback_url = callback_url

    def submit(self, sms: OutboundSms) -> HttpRequest:
        """The request that hands one message over."""
        raise NotImplementedError

    def read_submit(self, response: HttpResponse) -> Accepted:
        """What the answer to `submit` means. Raises NotAccepted; anything else it raises counts as ambiguous."""
        raise Ambiguous(f"the provider's answer ({response.status}) is not understood")

    def query(self, asked: Sequence[SentSms]) -> HttpRequest:
        """The request that asks what became of messages it accepted."""
        raise NotImplementedError

    def read_query(self, response: HttpResponse) -> list[Receipt]:
        """The receipts in the answer to `query`. Raises Unreadable or GatewayFault."""
        raise NotImplementedError

    def look_up(self, sought: Sequence[SentSms]) -> HttpRequest:
        """The request that asks whether these messages were accepted."""
        raise NotImplementedError

    def read_look_up(self, response: HttpResponse) -> Mapping[str, Accepted | None]:
        """By key: how it was accepted, or None where its absence is proven. Raises Unreadable."""
        raise NotImplementedError

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        """What a call from the provider says; empty where it is none of our business. Raises BadCallback."""
        raise BadCallback("this provider does not call", status=404)

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        """What the provider needs to hear once all of it is stored."""
        return CallbackReply("OK")

    def fetch_inbound(self, since: datetime) -> HttpRequest:
        """The request for what guests wrote since then."""
        raise NotImplementedError

    def read_inbound(self, response: HttpResponse) -> list[InboundSms]:
        """What guests wrote. Raises Unreadable or GatewayFault."""
        raise NotImplementedError

    def balance(self) -> HttpRequest:
        """The request for what is left on the account."""
        raise NotImplementedError

    def read_balance(self, response: HttpResponse) -> Balance:
        """What is left on the account. Raises Unreadable or GatewayFault."""
        raise NotImplementedError

    def forget(self, sent: SentSms) -> HttpRequest:
        """The request that takes a message off the provider's own log."""
        raise NotImplementedError

    def read_forget(self, response: HttpResponse) -> None:
        """Returns where it was done. Raises Unreadable or GatewayFault."""
        raise NotImplementedError

    def check(self) -> HttpRequest | None:
        """A request that proves connection and rights, and sends nothing; None where only a login does."""
        return self.balance() if self.can_tell_balance else None

    def read_check(self, response: HttpResponse) -> str:
        """What it showed, in one sentence. Raises GatewayFault (what is missing, with the remedy) or Unreadable."""
        left = self.read_balance(response)
        return f"the balance is {left.amount} {left.currency}".rstrip()

    def canonical(self, reference: str) -> str:
        """The reference as it is compared: receipts spell ids in another case, or without their leading zeros."""
        return reference.strip().lower().lstrip("0")

    def redact(self, text: str) -> str:
        """An answer as it may be stored and shown: without what the provider knows to be secret."""
        return text


def read_outcome(provider: BaseProvider, response: HttpResponse) -> Accepted | NotAccepted:
    """What the answer means; a provider file that fails on an answer has not understood it, so it is ambiguous."""
    try:
        outcome = provider.read_submit(response)
    except NotAccepted as known:
        return known
    except Unreadable as error:
        return Ambiguous(f"the provider's answer ({response.status}) could not be read: {error}")
    except Exception as error:  # noqa: BLE001 — any failure to read means: unclear
        return Ambiguous(f"the provider's answer could not be read ({type(error).__name__})")
    return outcome if isinstance(outcome, Accepted) else Ambiguous("the provider's answer is not understood")
