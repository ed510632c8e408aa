"""A report that is wanted: put on record in the transaction that accepts the message."""

from datetime import timedelta

from gateways.models import Gateway
from messaging import addresses
from messaging.models import DeliveryReport, Message
from messaging.models.webhook import LONGEST_URL
from messaging.reporting.kinds import Happened
from portal import clock
from portal.errors import Refusal

#: Of these kinds reports can be had.
WANTED = int(sum(Happened))
#: The first look at a message, once it is accepted.
FIRST_LOOK = timedelta(seconds=1)


def ask(message: Message, *, url: str, mask: int, sender: str = "", known_gateway: Gateway | None = None) -> None:
    """From now on this address is called when something of the mask happens. Raises Refusal (field `dlr-url`).

    With `known_gateway` no other one is told, wherever the message goes, nor what the provider of another one says.
    """
    check(url)
    if wanted := mask & WANTED:
        now = clock.now()
        DeliveryReport.objects.create(
            message=message,
            url=url,
            mask=wanted,
            sender=sender[:100],
            known_gateway=known_gateway,
            made=now,
            due_at=now + FIRST_LOOK,
        )


def check(url: str) -> None:
    """Raises Refusal (field `dlr-url`). Where its host is, is looked at when it is called."""
    if not _may_be_called(url):
        raise Refusal("Give an address that begins with https:// or http://.", field="dlr-url")


def _may_be_called(url: str) -> bool:
    split = addresses.parts_of(url) if len(url) <= LONGEST_URL else None
    return split is not None and split.scheme in {"http", "https"} and bool(split.hostname) and split.username is None
