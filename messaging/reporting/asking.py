"""A report that is wanted: put on record in the transaction that accepts the message."""

from datetime import timedelta
from urllib.parse import urlsplit

from messaging.models import DeliveryReport, Message
from messaging.models.webhook import LONGEST_URL
from messaging.reporting.kinds import Happened
from portal import clock
from portal.errors import Refusal

#: Of these kinds reports can be had.
WANTED = int(sum(Happened))
#: The first look at a message, once it is accepted.
FIRST_LOOK = timedelta(seconds=1)


def ask(message: Message, *, url: str, mask: int, sender: str = "") -> None:
    """From now on this address is called when something of the mask happens. Raises Refusal (field `dlr-url`)."""
    check(url)
    if wanted := mask & WANTED:
        now = clock.now()
        DeliveryReport.objects.create(
            message=message, url=url, mask=wanted, sender=sender[:100], made=now, due_at=now + FIRST_LOOK
        )


def check(url: str) -> None:
    """Raises Refusal (field `dlr-url`). Where its host is, is looked at when it is called."""
    if not _may_be_called(url):
        raise Refusal("Give an address that begins with https:// or http://.", field="dlr-url")


def _may_be_called(url: str) -> bool:
    if len(url) > LONGEST_URL or not url.isprintable() or any(letter.isspace() for letter in url):
        return False
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        return False
    return split.scheme in {"http", "https"} and bool(split.hostname) and split.username is None and port != 0
