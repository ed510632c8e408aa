"""How long a page watches what becomes of an SMS."""

from datetime import datetime, timedelta

from messaging.whereabouts import Where, Whereabouts

#: Seconds until a script asks again: while the SMS is being sent, and while the operator may still confirm it.
SOON, LATER = 1, 5
#: After so long nothing new is expected.
SETTLED = timedelta(minutes=3)


def asks_again(sms: Whereabouts | None, since: datetime | None, now: datetime) -> int:
    """Seconds until a script asks again about the SMS that was asked for at `since`; 0 where nothing is to come."""
    if sms is None or since is None or now - since > SETTLED:
        return 0
    if sms.kind is Where.UNDER_WAY:
        return SOON
    return LATER if sms.kind in {Where.SENT, Where.UNCONFIRMED, Where.NO_WAY} else 0
