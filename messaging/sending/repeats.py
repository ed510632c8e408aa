"""Messages that programs name themselves, for systems in which a name that was used sends nothing a second time."""

from collections import defaultdict
from collections.abc import Collection

from messaging.models import Door, Message
from portal.models import User


def sent_as(names: Collection[str], *, by: User, door: Door) -> dict[str, list[Message]]:
    """What this user sent by this door under these names, of each name the first before the others.

    Call it in the transaction that then sends the others: until its end, others of this user wait here, and find then
    what was sent. So a name is used once, however many calls use it at the same moment, as long as its message is kept.
    """
    if not names:
        return {}
    # Its key is left alone: whatever else is stored of this user meanwhile refers to that, and need not wait.
    User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)
    rows = Message.objects.filter(requested_by=by, door=door, caller_reference__in=names).defer("text")
    found: dict[str, list[Message]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[str(row.caller_reference)].append(row)
    return found
