"""The request that tells one event: the standard's own body, or the one that old receivers of SMSmobileAPI read."""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from gateways.http import HttpRequest
from gateways.samples import PHONE
from messaging import event_types, guids
from messaging.models import Format, Webhook, WebhookEvent
from messaging.webhooks import signing
from portal.encryption import unlocked
from portal.version import version

#: So many bytes of an answer hold more than what is kept of it; its status says whether the event was heard.
ENOUGH = 8 * 1024
NOT_CHOSEN = gettext_noop("this event is not among those that the webhook is told of")


class Untellable(Exception):
    """The webhook was told of such events when this one was meant for it. Its text is the reason people read."""


def may_be_told(webhook: Webhook, event: WebhookEvent) -> bool:
    """Whether it is among what the webhook is told of now, which whoever chose its address was free to read.

    It need not be what it was told of when the event happened, and its address may have changed together with that.
    """
    return event.type in {*webhook.events, event_types.TEST}


def request_of(webhook: Webhook, event: WebhookEvent, at: datetime) -> HttpRequest:
    """The call. Raises KeyMissing where address, secret or body cannot be read, and Untellable."""
    if not may_be_told(webhook, event):
        raise Untellable(NOT_CHOSEN)
    body = unlocked(event.body)
    if webhook.format == Format.SMSMOBILEAPI_V1:
        body = json.dumps(first_version(event, json.loads(body)), ensure_ascii=False)
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": f"guest-sms-portal/{version()}",
        **signing.headers(webhook, event, body, at),
    }
    url, verify = unlocked(webhook.url), webhook.verify_tls
    return HttpRequest("POST", url, headers, body.encode(), verify_tls=verify, enough=ENOUGH)


def first_version(event: WebhookEvent, body: dict[str, Any]) -> dict[str, str]:
    """The body of SMSmobileAPI's first webhook, in the portal's time zone: SMSmobileAPI's API documentation, "Webhook".

    `date` and `hour` are when we heard of the text, `time_received` is when it was written; `guid`, by which a receiver
    knows a repeat, is the one that our `/getsms/` says. A test is a text that nobody wrote.
    """
    said = body["data"]
    if body["type"] == event_types.TEST:
        said = {"id": 0, "phone_number": PHONE, "message": said["message"]}
    # Whoever asks for a test may read by another clock.
    zone = timezone.get_default_timezone()
    heard = _moment(said.get("received_at"), event.at).astimezone(zone)
    written = _moment(said.get("at"), event.at).astimezone(zone)
    return {
        "date": f"{heard:%Y-%m-%d}",
        "hour": f"{heard:%H:%M:%S}",
        "time_received": f"{written:%Y-%m-%d %H:%M:%S}",
        "message": said["message"],
        "number": said["phone_number"],
        "guid": guids.guid_of(said["id"], guids.RECEIVED),
    }


def _moment(said: str | None, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(said) if said else otherwise
