"""What self-registration leaves behind on a bad day, for the crawl: every stage, limit, answer and fault at once."""

import base64
from datetime import timedelta
from typing import Any

from django.utils import timezone

from guests.limits import brake
from guests.look import branding
from guests.models import (
    Approval,
    Brake,
    Branding,
    Code,
    Device,
    Guest,
    GuestType,
    LimitCount,
    Registration,
    Scope,
    Sponsor,
    Stage,
)

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff " * 7
#: Written from right to left, and a picture.
OTHER_NAME = "עדה לאבלייס 🛳️"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
KEYS = {
    Scope.PHONE: "+79161234500",
    Scope.ADDRESS: "2001:db8:1234:5678:9abc:def0:1234:5678",
    Scope.NETWORK: "192.0.2.0/24",
    Scope.DEVICE: "d" * 64,
    Scope.PREFIX: "+7916123",
    Scope.COUNTRY: "KZ",
    Scope.GUESSES: "wolfeschlegelsteinhausenbergerdorff 2001:db8::1",
    Scope.PORTAL: "",
}


def make() -> None:
    """All of it."""
    _look()
    _held_back()
    _stages()
    _answers()
    _devices()


def _look() -> None:
    said = {"name": "Hotel Aurora", "logo": DOT, "logo_type": "image/png", "help_text": {"en": "Ask at the desk."}}
    Branding.objects.update_or_create(pk=branding.ROW, defaults=said)


def _held_back() -> None:
    now = timezone.now()
    LimitCount.objects.bulk_create(
        LimitCount(scope=scope, minutes=1440, key=key, since=now, count=9, most=9, refused=123456)
        for scope, key in KEYS.items()
    )
    stopped = {"pulled_at": now, "until": now + timedelta(hours=9), "sent": 412, "entered": 7}
    Brake.objects.update_or_create(pk=brake.ROW, defaults=stopped)


def _stages() -> None:
    for number, stage in enumerate(Stage.values):
        _registration(number, stage=stage, name=LONG_NAME[:255] if number % 2 else OTHER_NAME, reason="No visits today")


def _answers() -> None:
    sponsor = Sponsor.objects.create(name=LONG_NAME[:150], email=f"{'long' * 12}@example.org", enabled=False)
    now = timezone.now()
    answers: list[dict[str, Any]] = [
        {"approved": True, "decided_at": now, "stay": timedelta(days=1)},
        {"approved": False, "decided_at": now},
        {"expires_at": now - timedelta(hours=1), "reminded_at": now - timedelta(hours=2)},
        {"mail_fault": "the mail server does not answer", "mail_tries": 4, "mail_at": now},
    ]
    for number, answer in enumerate(answers):
        registration = _registration(100 + number, stage=Stage.APPROVAL, verified_at=now, guest_type=_visitor())
        known = {"asked_at": now - timedelta(hours=3), "expires_at": now + timedelta(hours=5)} | answer
        Approval.objects.create(registration=registration, sponsor=sponsor, email=sponsor.email, **known)


def _devices() -> None:
    guest = Guest.objects.get(username="bob")
    for number in range(3):
        Device.objects.create(guest=guest, mac=f"02:00:00:00:00:1{number}", ssid="Lobby of the Aurora, second floor")


def _registration(number: int, **changes: Any) -> Registration:
    phone = f"+79165550{number:03d}"
    code = Code.objects.create(phone=phone, sends=1)
    known = {"token_digest": f"row {number}", "phone": phone, "language": "en", "code": code, "address": "192.0.2.9"}
    return Registration.objects.create(**known | changes)


def _visitor() -> GuestType:
    return GuestType.objects.get_or_create(name="Visitor", defaults={"needs_approval": True, "self_service": True})[0]
