"""What is done inside a portal of the table, in a process with its environment."""

import time

from messaging import sending, tallies
from messaging.models import Message, TallyProgress
from messaging.retries import Kind
from portal import clients, keys
from portal.models import User

#: Seconds from one code to the next.
APART = 0.05


def codes(gateway: str, many: int) -> dict[str, float]:
    """Accepts codes one after another; when each began to be, by its phone."""
    accepted: dict[str, float] = {}
    first = int(time.time()) % 10_000 * 1000
    for number in range(first, first + many):
        phone = f"+7999{number:07}"
        accepted[phone] = time.time()
        sending.send(phone=phone, text="Code 274911", kind=Kind.CODE, gateway_name=gateway, requested_by=None)
        time.sleep(APART)
    return accepted


def count_history() -> int:
    """Counts the tallies of a history at once, and not in a turn each minute; how many messages there are."""
    counted = None
    while not counted or counted != TallyProgress.now().built_from:
        counted = TallyProgress.now().built_from
        tallies.keep_tallies()
    return Message.objects.count()


def credentials(username: str) -> dict[str, str]:
    """An API key of this user, and the id and the secret of an OAuth2 client that acts as the user."""
    user = User.objects.get(username=username)
    _key, key = keys.issue(user, "bench")
    client, secret = clients.make("bench", user)
    return {"key": key, "client_id": client.client_id, "client_secret": secret}
