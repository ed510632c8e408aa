"""What of guests other systems can be told by webhooks, with a sample of what each event says. No database here."""

from django.utils.translation import gettext_lazy as _

from messaging.event_types import EventType

VERIFIED = EventType(
    "registration.verified",
    _("a guest proved to have the phone"),
    "USERS_READ",
    {
        "registration": 12, "stage": "done", "pid": "79161234567", "guest_type": "Visitor",
        "verified_at": "2026-11-22T12:00:00.000Z", "valid_from": "2026-11-22T12:00:00.000Z",
        "valid_until": "2026-11-23T12:00:00.000Z",
    },
)  # fmt: skip
EXPIRED = EventType(
    "guest.expired",
    _("a guest's stay has ended"),
    "USERS_READ",
    {
        "pid": "79161234567", "guest_type": "Visitor", "state": "expired", "valid_from": "2026-11-22T12:00:00.000Z",
        "valid_until": "2026-11-23T12:00:00.000Z", "first_sign_in": "2026-11-22T12:00:05.000Z",
    },
)  # fmt: skip
