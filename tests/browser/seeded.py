"""A hotel's portal after a month of work, for the pictures in the documents. Runs in that portal's environment."""

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from gateways import accounts as gateway_accounts
from gateways.models import Gateway
from guests import accounts
from guests.look import branding
from guests.models import Branding, Guest, GuestType
from messaging import sending, tallies
from messaging.models import Message, State, TallyProgress
from messaging.retries import Kind
from portal.models import WatchedHost

DAYS = 30
HELP = "The reception on the ground floor helps, or call 100."
PEOPLE = ("Anna Petrova", "Clara Schmidt", "Daniel Novak", "Elena Morozova")
TYPES = {"Hotel guest": 7, "Conference": 3, "Contractor": 90}
#: What becomes of messages, and how often.
FATES = {State.DELIVERED: 930, State.NO_RECEIPT: 25, State.UNDELIVERED: 30, State.FAILED: 12, State.UNRESOLVED: 3}
KINDS = {Kind.CODE: 60, Kind.CREDENTIALS: 30, Kind.INFORMATION: 10}
#: The first request to the sandbox is lost, and the portal finds out what became of it.
UNCLEAR_AT_FIRST = "+79990000008"


def make(provider: dict[str, Any]) -> dict[str, int]:
    """All of it; the keys of the rows whose pages are shown. `provider` are the settings of the main gateway."""
    # The same pictures each time.
    chance = random.Random(1)
    reserve = Gateway.objects.get(name="sandbox")
    main = gateway_accounts.create(
        name="TargetSMS", provider="smsgate", settings=provider, sender="Hotel", priority=10,
        test_number="+79161234567", segment_price=Decimal("3.20"), currency="RUB",
    )  # fmt: skip
    Message.objects.bulk_create(_month(chance, main, reserve))
    _guests()
    _blocked()
    Branding.objects.create(pk=branding.ROW, name="Hotel Baltika", colour="#7a1f3d", help_text={"en": HELP})
    while TallyProgress.now().built_from is None or not _counted():
        tallies.keep_tallies()
    text = "Hotel Baltika: your Wi-Fi code is 4711."
    message = sending.send(
        phone=UNCLEAR_AT_FIRST, text=text, masked_text=text.replace("4711", "••••"), kind=Kind.CODE,
        gateway_name="sandbox", requested_by=None, recipient_label="anna.petrova",
    )  # fmt: skip
    return {"gateway": main.pk, "message": message.pk}


def _counted() -> bool:
    before = TallyProgress.now().built_from
    tallies.keep_tallies()
    return TallyProgress.now().built_from == before


def _month(chance: random.Random, main: Gateway, reserve: Gateway) -> Iterator[Message]:
    now = timezone.now()
    for hours in range(DAYS * 24, 0, -1):
        at = now - timedelta(hours=hours)
        # More by day than by night, more at weekends than in the week.
        usual = 9 + 8 * math.sin((at.hour - 8) / 24 * 2 * math.pi) + 4 * (at.weekday() >= 4)
        for _each in range(max(0, round(chance.gauss(usual, 2)))):
            yield _sent(
                chance, reserve if chance.random() < 0.12 else main, at + timedelta(minutes=chance.random() * 55)
            )


def _sent(chance: random.Random, gateway: Gateway, at: datetime) -> Message:
    kind, fate = _drawn(chance, KINDS), _drawn(chance, FATES)
    return Message(
        kind=kind,
        priority=2,
        phone=f"+7916{chance.randrange(10**7):07}",
        gateway=gateway,
        masked_text="Hotel Baltika: ••••••••",
        encoding="GSM-7",
        segments=1 + (kind == Kind.CREDENTIALS),
        created=at,
        submitted_at=at + timedelta(seconds=1),
        finished_at=at + timedelta(seconds=2 + chance.expovariate(0.2)),
        valid_until=at + timedelta(hours=1),
        state=fate,
        reason="the phone is switched off" if fate == State.UNDELIVERED else "",
    )


def _drawn(chance: random.Random, weights: dict[Any, int]) -> Any:
    return chance.choices(list(weights), list(weights.values()))[0]


def _guests() -> None:
    types = [
        GuestType.objects.create(name=name, default_stay=timedelta(days=days), longest_stay=timedelta(days=90))
        for name, days in TYPES.items()
    ]
    sent = list(Message.objects.filter(kind=Kind.CREDENTIALS).order_by("-pk")[: len(PEOPLE)])
    for number, (name, message) in enumerate(zip(PEOPLE, sent, strict=True)):
        first, last = name.split()
        guest = accounts.create(
            username=f"{first}.{last}".lower(), phone=message.phone, by=None, first_name=first, last_name=last,
            guest_type=types[number % len(types)], email=f"{first.lower()}@example.org",
        )  # fmt: skip
        Message.objects.filter(pk=message.pk).update(recipient_label=guest.username)
        # Most have come; one waits for credentials, one has left.
        came = message.created + timedelta(minutes=3) if number in {0, 2} else None
        Guest.objects.filter(pk=guest.pk).update(
            last_credentials=None if number == 1 else message,
            verified_at=came,
            first_sign_in=came,
            suspended=number == 3,
            suspended_why="Left early" if number == 3 else "",
        )


def _blocked() -> None:
    now = timezone.now()
    for host, name, count in (("192.0.2.66", "", 5), ("198.51.100.23", "admin", 7), ("203.0.113.9", "", 12)):
        WatchedHost.objects.create(
            host=host, username=name, count=count, first_try=now - timedelta(minutes=6), last_try=now, times=1,
            until=now + timedelta(minutes=13),
        )  # fmt: skip
