"""Secrets of webhooks, and the headers by which a receiver knows us: Standard Webhooks, section "Signature scheme"."""

import base64
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook as Signer

from messaging.models import Webhook, WebhookEvent
from portal.encryption import Locked, unlocked

PREFIX = "whsec_"
#: Of random; the standard wants 24 to 64.
BYTES = 32


def new_secret() -> str:
    """A secret as the standard writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def headers(webhook: Webhook, event: WebhookEvent, body: str, at: datetime) -> dict[str, str]:
    """The id, which is the same at every try, the time of this one, and a signature by each secret that is good now.

    Raises KeyMissing where the secret cannot be read. A former one that cannot is the reason why there is another.
    """
    keys = [unlocked(webhook.secret)]
    former = webhook.former_secret
    if former is not None and not isinstance(former, Locked) and webhook.former_until and webhook.former_until > at:
        keys.append(former)
    # The library takes the time without its zone for UTC.
    moment = at.astimezone(UTC)
    signatures = [Signer(key).sign(msg_id=event.uid, timestamp=moment, data=body) for key in keys]
    return {
        "webhook-id": event.uid,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
